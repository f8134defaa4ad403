import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compressWith, inChunks, openDescriptors, StallingSource } from '../compress/streams.test.support.js';
import { generateArchive } from './generate-archive.js';
import { isArchivePath, isEmptyArchive } from './is-archive.js';

const TAR = generateArchive([['file', 'content']]);
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'is-archive-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

describe('isArchivePath', () => {
  it('is false for a directory, a FIFO and a missing file (IsArchivePathDir)', async () => {
    await mkdir(join(directory, 'dir'));
    spawnSync('/usr/bin/mkfifo', [join(directory, 'fifo')]);
    for (const name of ['dir', 'fifo', 'missing'])
      expect(await isArchivePath(join(directory, name))).toBe(false);
  });

  it('is false for zeros, their gzip, 7zip, text and less than a header (IsArchivePathInvalidFile, IsArchiveNilHeader)', async () => {
    const seven = Buffer.concat([Buffer.from('377abcaf271c', 'hex'), Buffer.alloc(2000, 1)]);
    const inputs = [
      Buffer.alloc(1024),
      gzipSync(Buffer.alloc(1024)),
      seven,
      Buffer.from('hello'),
      Buffer.alloc(0),
      TAR.subarray(0, 511),
      Buffer.from('1f8b08ff', 'hex'),
    ];
    for (const [index, bytes] of inputs.entries())
      expect(await isArchivePath(await fileOf(`no${index}`, bytes))).toBe(false);
  });

  it('is true for a tar, plain and compressed (IsArchivePathTar)', async () => {
    const descriptors = openDescriptors();
    expect(await isArchivePath(await fileOf('yes.tar', TAR))).toBe(true);
    expect(await isArchivePath(await fileOf('yes.tar.gz', gzipSync(TAR)))).toBe(true);
    const big = Buffer.concat([TAR.subarray(0, 1024), generateArchive([['big', Buffer.alloc(20_000_000)]])]);
    expect(await isArchivePath(await fileOf('big.tar.gz', gzipSync(big)))).toBe(true);
    const xz = await fileOf('yes.tar.xz', compressWith('xz', ['-c'], TAR));
    expect(await isArchivePath(xz)).toBe(false);
    expect(await isArchivePath(xz, { helpers: 'on' })).toBe(true);
    expect(openDescriptors()).toBe(descriptors);
  });

  it('refuses options that decompress would refuse, and paths that are none', async () => {
    const path = await fileOf('yes.tar', TAR);
    await expect(isArchivePath(path, JSON.parse('{"helper":"on"}'))).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
    });
    await expect(isArchivePath('a\0b')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('isEmptyArchive', () => {
  it('is true without an entry, false with one, and stops reading there', async () => {
    expect(await isEmptyArchive(inChunks(new Uint8Array(1024), 100))).toBe(true);
    expect(await isEmptyArchive(inChunks(new Uint8Array(0), 100))).toBe(true);
    const source = new StallingSource(TAR.subarray(0, 600));
    expect(await isEmptyArchive(source)).toBe(false);
    expect(source.closed).toBe(true);
    await expect(isEmptyArchive(inChunks(Buffer.alloc(1024, 1), 1024))).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID_HEADER',
    });
  });
});
