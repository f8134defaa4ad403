import { describe, expect, it } from '@jest/globals';
import { pack as openPack } from 'tar-stream';
import {
  compressWith,
  drain,
  inChunks,
  mixedBytes,
  StallingSource,
} from '../compress/streams.test.support.js';
import { readArchive } from './read-archive.js';

/** An archive with three files and a directory, made by tar-stream. */
async function sampleArchive(): Promise<Buffer> {
  const pack = openPack();
  pack.entry({ name: 'a' }, Buffer.from('first'));
  pack.entry({ name: 'dir/', type: 'directory' });
  pack.entry({ name: 'dir/big' }, mixedBytes(300_000, 4));
  pack.entry({ name: 'z' }, Buffer.from('last'));
  pack.finalize();
  return (await drain(pack as AsyncIterable<Uint8Array>)).bytes;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('readArchive', () => {
  it.each([1, 511, 512, 10_000, 1 << 20])('gives every entry with its body (chunks of %i)', async (size) => {
    const archive = await sampleArchive();
    const seen: [string, string, number][] = [];
    for await (const { header, body } of readArchive(inChunks(archive, size))) {
      seen.push([text(header.name), header.kind, (await drain(body)).bytes.length]);
    }
    expect(seen).toEqual([
      ['a', 'file', 5],
      ['dir/', 'directory', 0],
      ['dir/big', 'file', 300_000],
      ['z', 'file', 4],
    ]);
  });

  it('skips bodies that are not read or read in part, and refuses to read one too late', async () => {
    const names: string[] = [];
    let late: AsyncIterable<Uint8Array> | undefined;
    for await (const { header, body } of readArchive(inChunks(await sampleArchive(), 1000))) {
      names.push(text(header.name));
      if (late !== undefined) expect((await drain(late)).error).toMatchObject({ code: 'OPTION_INVALID' });
      late = body;
      if (text(header.name) === 'dir/big') {
        for await (const chunk of body) {
          expect(chunk.byteLength).toBeGreaterThan(0);
          break;
        }
      }
    }
    expect(names).toEqual(['a', 'dir/', 'dir/big', 'z']);
  });

  it('reads no further than it is asked, and closes the source when it is left', async () => {
    const source = new StallingSource((await sampleArchive()).subarray(0, 5000));
    for await (const { header } of readArchive(source)) {
      if (text(header.name) === 'dir/big') break;
    }
    expect(source.closed).toBe(true);
  });

  it('gives what comes before damage, then the error', async () => {
    const archive = await sampleArchive();
    archive.fill(0xff, archive.length - 2048, archive.length - 1900);
    const names: string[] = [];
    const reading = (async () => {
      for await (const { header } of readArchive(inChunks(archive, 1 << 20))) names.push(text(header.name));
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ARCHIVE_INVALID_HEADER' });
    expect(names).toEqual(['a', 'dir/', 'dir/big']);
  });

  it('does not hang on a directory with a size, nor lose entries (SEC-36)', async () => {
    const archive = compressWith(
      'tar',
      ['-cf-', '--mtime=@0', '-C', '/', '--no-recursion', 'etc', 'usr'],
      Buffer.alloc(0),
    );
    archive.write('00000000010', 124, 'latin1');
    const header = archive.subarray(0, 512);
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    const names: string[] = [];
    for await (const entry of readArchive(inChunks(archive, 512))) {
      names.push(text(entry.header.name));
      expect((await drain(entry.body)).bytes.length).toBe(0);
    }
    expect(names).toEqual(['etc/', 'usr/']);
  });

  it('stops on abort', async () => {
    const controller = new AbortController();
    const source = new StallingSource((await sampleArchive()).subarray(0, 5000));
    const reason = new Error('stop');
    const reading = (async () => {
      for await (const { body } of readArchive(source, { signal: controller.signal })) {
        setImmediate(() => controller.abort(reason));
        const { error } = await drain(body);
        if (error !== undefined) throw error;
      }
    })();
    await expect(reading).rejects.toBe(reason);
    expect(source.closed).toBe(true);
  });
});
