import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ConsoleIo } from '../console-io.js';
import type { Report } from '../report.js';

/** A tar stream that may take its chunks back. */
export interface OutputStream extends AsyncIterable<Uint8Array> {
  recycle?(chunk: Uint8Array): void;
}

/**
 * Sends a tar stream to a file, or to standard output. A file takes its name only when it is complete: a digest that does not
 * hold at the end must not leave something that looks like a layer.
 */
export async function writeOutput(
  stream: OutputStream,
  file: string | undefined,
  subject: Readonly<Record<string, string>>,
  report: Report,
  io: ConsoleIo,
): Promise<void> {
  if (file === undefined) {
    await pipeline(stream, io.stdout, { signal: io.signal, end: false });
    return;
  }
  const part = `${file}.part-${process.pid}`;
  const started = process.hrtime.bigint();
  let size = 0;
  const target = await open(part, 'wx');
  try {
    for await (const chunk of stream) {
      io.signal.throwIfAborted();
      await writeWhole(target, chunk);
      size += chunk.length;
      stream.recycle?.(chunk);
    }
    await target.close();
    await rename(part, file);
  } catch (error) {
    await target.close();
    await rm(part, { force: true });
    throw error;
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  await report.record({ ...subject, file, size, seconds }, '');
}

async function writeWhole(target: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await target.write(chunk, done);
    done += bytesWritten;
  }
}
