import { randomBytes } from 'node:crypto';
import { readSync } from 'node:fs';
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fileSource } from './file-source.js';

const CONTENT = randomBytes(17 * 1024 * 1024 + 17);
let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'file-source-'));
  file = path.join(directory, 'content');
  await writeFile(file, CONTENT);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

describe('a file as a source', () => {
  it('gives every byte and closes the file', async () => {
    const before = await openDescriptors();
    const chunks: Uint8Array[] = [];
    const source = fileSource(file);
    for await (const chunk of source) chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).equals(CONTENT)).toBe(true);
    expect(source.bytesRead).toBe(CONTENT.length);
    expect(await openDescriptors()).toBe(before);
  });

  it('reads into buffers again that were given back, and only into those', async () => {
    const memories = new Set<ArrayBufferLike>();
    const kept: Uint8Array[] = [];
    let at = 0;
    const source = fileSource(file);
    for await (const chunk of source) {
      memories.add(chunk.buffer);
      expect(CONTENT.subarray(at, at + chunk.length).equals(chunk)).toBe(true);
      at += chunk.length;
      if (kept.length < 2) kept.push(chunk);
      else source.recycle(chunk);
    }
    // two kept, one being read into while one is looked at
    expect(memories.size).toBeLessThanOrEqual(5);
    expect(Buffer.concat(kept).equals(CONTENT.subarray(0, 2 * (kept[0]?.length ?? 0)))).toBe(true);
  });

  it('does not take memory that is not its own, or twice', async () => {
    const source = fileSource(file);
    for await (const chunk of source) {
      source.recycle(new Uint8Array(chunk.length));
      source.recycle(chunk.subarray(512));
      source.recycle(chunk);
      source.recycle(chunk);
    }
    expect(source.bytesRead).toBe(CONTENT.length);
  });

  it('closes the file when the reader leaves early or aborts, but not a handle that was lent', async () => {
    const before = await openDescriptors();
    for await (const _chunk of fileSource(file)) break;
    expect(await openDescriptors()).toBe(before);

    const stop = new AbortController();
    const reading = (async () => {
      for await (const _chunk of fileSource(file, { signal: stop.signal })) stop.abort(new Error('enough'));
    })();
    await expect(reading).rejects.toThrow('enough');
    expect(await openDescriptors()).toBe(before);

    await using handle = await open(file);
    for await (const _chunk of fileSource(handle)) break;
    expect((await handle.stat()).size).toBe(CONTENT.length);
  });

  it.each([
    ['a file that is not there', () => path.join(directory, 'absent'), 'ENOENT', 'open'],
    ['a directory', () => directory, 'EISDIR', 'read'],
  ])('fails on %s with ARCHIVE_IO', async (_what, name, errno, syscall) => {
    const reading = (async () => {
      for await (const _chunk of fileSource(name())) throw new Error('there is nothing to read');
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno, syscall, path: name() });
  });
});

describe('a file that another thread reads', () => {
  it('is read by the one it is left to, as long as that is there, and every byte comes in its place', async () => {
    const source = fileSource(file);
    const asked: number[] = [];
    let last = Promise.resolve(0);
    const reader = (fd: number, buffer: Uint8Array, position: number): Promise<number> => {
      asked.push(position);
      // One after the other, as one thread does.
      last = last.then(() => readSync(fd, buffer, 0, buffer.length, position));
      return last;
    };
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) {
      chunks.push(Buffer.from(chunk));
      source.recycle(chunk);
      if (chunks.length === 2) source.readBy(reader);
      if (chunks.length === 6) source.readBy(undefined);
    }
    expect(Buffer.concat(chunks).equals(CONTENT)).toBe(true);
    const size = chunks[0]?.length ?? 0;
    // One read was under way already.
    expect(asked).toEqual([3, 4, 5, 6, 7, 8].map((index) => index * size));
  });

  it('fails with what that one says, when the turn of the read has come', async () => {
    const source = fileSource(file);
    source.readBy(() => Promise.reject(Object.assign(new Error('gone'), { code: 'EIO' })));
    await expect(source[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'EIO',
      syscall: 'read',
      path: file,
    });
  });
});
