import { Buffer } from 'node:buffer';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Crc64, LayerStoreError } from '@x/archive';
import { SEGMENT_LIMIT, type TarSplitFile, TYPE_SEGMENT } from './entry.js';
import { GzipFile, ioError } from './gzip-file.js';
import { LineBlocks } from './line-blocks.js';
import { readTarSplit } from './reader.js';

/** Output between two looks at whether zlib keeps up. */
const DRAIN_EVERY = 1024 * 1024;

/**
 * Rewrites the record at `path`: the entry of every payload in `displaced` becomes segments with the bytes saved in
 * `stashDirectory`. Docker's assembler copies segments verbatim, so the result streams back with every version of it
 * (spec/layer-archive.md 3.9). Resolves to the size of the new, durable file. Fails with ARCHIVE_IO, with
 * ARCHIVE_FILE_CORRUPT for a saved payload that is not the one recorded, and with STORE_INVARIANT without a directory.
 */
export async function inlineDisplacedPayloads(
  path: string,
  displaced: ReadonlySet<number>,
  stashDirectory: string | undefined,
): Promise<number> {
  if (stashDirectory === undefined) {
    throw new LayerStoreError('STORE_INVARIANT', 'payloads were displaced but there is no stash directory');
  }
  const rewritten = `${path}.inlined`;
  const file = await GzipFile.create(rewritten);
  try {
    const lines = new LineBlocks((block, done) => file.write(block, done));
    let fileIndex = 0;
    let sinceDrain = 0;
    for await (const entry of readTarSplit(path)) {
      if (entry.type === TYPE_SEGMENT) {
        lines.segment(
          Buffer.from(entry.payload.buffer, entry.payload.byteOffset, entry.payload.length),
          0,
          entry.payload.length,
        );
        sinceDrain += entry.payload.length;
      } else if (entry.crc === undefined) {
        lines.file(entry.name, 0, 0);
      } else {
        if (displaced.has(fileIndex)) {
          // The entry itself goes: should its name come again, readers would refuse the second one.
          await inline(lines, file, entry, join(stashDirectory, String(fileIndex)));
        } else {
          lines.file(entry.name, entry.size, fileIndex);
          lines.checksum(fileIndex, entry.crc);
        }
        fileIndex++;
      }
      if (sinceDrain >= DRAIN_EVERY) {
        sinceDrain = 0;
        await file.drain();
      }
    }
    lines.end();
    const bytes = await file.finish();
    await rename(rewritten, path).catch((error: unknown) => {
      throw ioError('rename', path, error);
    });
    return bytes;
  } catch (error) {
    await file.abort();
    await unlink(rewritten).catch(() => undefined);
    throw error;
  }
}

async function inline(lines: LineBlocks, file: GzipFile, entry: TarSplitFile, saved: string): Promise<void> {
  const chunk = Buffer.allocUnsafeSlow(SEGMENT_LIMIT);
  const crc = new Crc64();
  let length = 0;
  try {
    await using source = await open(saved, 'r');
    for (;;) {
      const { bytesRead } = await source.read(chunk, 0, chunk.length);
      if (bytesRead === 0) break;
      crc.update(chunk.subarray(0, bytesRead));
      length += bytesRead;
      lines.segment(chunk, 0, bytesRead);
      await file.drain();
    }
  } catch (error) {
    throw ioError('read', saved, error);
  }
  if (length !== entry.size || entry.crc === undefined || Buffer.compare(crc.digest(), entry.crc) !== 0) {
    throw new LayerStoreError(
      'ARCHIVE_FILE_CORRUPT',
      `the saved payload of "${Buffer.from(entry.name).toString('latin1')}" is not the one that was recorded`,
      { path: saved, expected: String(entry.size), actual: String(length) },
    );
  }
}
