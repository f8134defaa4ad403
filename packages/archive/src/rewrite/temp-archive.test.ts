import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  drain,
  inChunks,
  mixedBytes,
  openDescriptors,
  StallingSource,
} from '../compress/streams.test.support.js';
import { TempArchive } from './temp-archive.js';

const BYTES = mixedBytes(2_500_000, 6);
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temp-archive-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('TempArchive', () => {
  it('keeps a stream to be read again and again, in a file without a name', async () => {
    await using archive = await TempArchive.create(inChunks(BYTES, 100_000), { directory });
    expect(archive.size).toBe(BYTES.length);
    expect(await readdir(directory)).toEqual([]);
    const [one, two] = await Promise.all([drain(archive.read()), drain(archive.read())]);
    expect(one.bytes.equals(BYTES) && two.bytes.equals(BYTES)).toBe(true);
  });

  it('may be closed many times, and gives nothing afterwards (TempArchiveCloseMultipleTimes)', async () => {
    const descriptors = openDescriptors();
    const archive = await TempArchive.create(inChunks(Buffer.from('hello'), 2));
    for (let times = 0; times < 3; times += 1) await archive.close();
    expect((await drain(archive.read())).error).toMatchObject({ code: 'ARCHIVE_IO', errno: 'EBADF' });
    expect(openDescriptors()).toBe(descriptors);
  });

  it('leaves nothing open when the source fails, the signal aborts or there is no room', async () => {
    const descriptors = openDescriptors();
    const controller = new AbortController();
    const stalled = new StallingSource(BYTES);
    const creating = TempArchive.create(stalled, { directory, signal: controller.signal });
    const reason = new Error('stop');
    setImmediate(() => controller.abort(reason));
    await expect(creating).rejects.toBe(reason);
    expect(stalled.closed).toBe(true);
    await expect(
      TempArchive.create(inChunks(BYTES, 10), { directory: '/nonexistent' }),
    ).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'ENOENT' });
    expect(await readdir(directory)).toEqual([]);
    expect(openDescriptors()).toBe(descriptors);
  });
});
