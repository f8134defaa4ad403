import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { afterEach, expect, it } from '@jest/globals';
import { describeAddon, failureOf, useDirectory, withLoops } from '../addon.test-support.js';
import { attachLoop, sparseFile } from '../loop-devices.test-support.js';

const MIB = 1 << 20;
describeAddon('block devices', (calls) => {
  const opened: number[] = [];
  afterEach(() => {
    for (const fd of opened.splice(0)) closeSync(fd);
  });
  const directory = useDirectory();

  /** A device of 4 MiB, all ones, written back. */
  function fullDevice(): { fd: number; file: string; readonly read: (offset: number) => number } {
    const file = sparseFile(directory.at('image'), 4 * MIB);
    const { fd } = attachLoop(file);
    opened.push(fd);
    writeSync(fd, Buffer.alloc(4 * MIB, 1));
    calls.blkFlsBufSync(fd);
    const byte = Buffer.alloc(1);
    return {
      fd,
      file,
      read: (offset) => {
        readSync(fd, byte, 0, 1, offset);
        return byte.readUInt8();
      },
    };
  }
  const storedBytes = (file: string): number => statSync(file).blocks * 512;

  withLoops('tell their size', async () => {
    const { fd } = fullDevice();
    expect(calls.blkGetSize64Sync(fd)).toBe(4 * MIB);
    expect(await calls.blkGetSize64(fd)).toBe(4 * MIB);
  });

  withLoops('have what was written in the file below once flushed', () => {
    const { file } = fullDevice();
    const below = openSync(file, 'r');
    opened.push(below);
    const last = Buffer.alloc(1);
    readSync(below, last, 0, 1, 4 * MIB - 1);
    expect(last.readUInt8()).toBe(1);
  });

  withLoops('give back what a discard names, and no more', async () => {
    const { fd, file, read } = fullDevice();
    const before = storedBytes(file);
    await calls.blkDiscard(fd, MIB, 2n * BigInt(MIB));
    expect(before - storedBytes(file)).toBe(2 * MIB);
    expect([read(MIB - 1), read(MIB), read(3 * MIB - 1), read(3 * MIB)]).toEqual([1, 0, 0, 1]);
  });

  withLoops('read as zeros what was zeroed', () => {
    const { fd, read } = fullDevice();
    calls.blkZerooutSync(fd, 512, 1024);
    expect([read(511), read(512), read(1535), read(1536)]).toEqual([1, 0, 0, 1]);
  });

  withLoops('refuse ranges that are no whole sectors or lie beyond the end', () => {
    const { fd } = fullDevice();
    expect(failureOf(() => calls.blkDiscardSync(fd, 1, 512))).toMatchObject({
      code: 'EINVAL',
      syscall: 'ioctl(BLKDISCARD)',
    });
    expect(failureOf(() => calls.blkZerooutSync(fd, 4 * MIB, 512))).toMatchObject({
      code: 'EINVAL',
      syscall: 'ioctl(BLKZEROOUT)',
    });
    expect(failureOf(() => calls.blkDiscardSync(fd, -512, 512)).code).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('are not plain files', () => {
    const fd = openSync(sparseFile(directory.at('plain'), 4096), 'r+');
    opened.push(fd);
    for (const call of [
      () => calls.blkGetSize64Sync(fd),
      () => calls.blkDiscardSync(fd, 0, 512),
      () => calls.blkZerooutSync(fd, 0, 512),
      () => calls.blkFlsBufSync(fd),
    ]) {
      expect(failureOf(call).code).toBe('ENOTTY');
    }
  });
});
