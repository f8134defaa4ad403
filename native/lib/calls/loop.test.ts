import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, expect } from '@jest/globals';
import { describeAddon, failureOf, useDirectory, withLoops } from '../addon.test-support.js';
import { LO_FLAGS_AUTOCLEAR, LO_FLAGS_READ_ONLY } from '../constants.js';
import { type AttachedLoop, attachLoop, sparseFile } from '../loop-devices.test-support.js';

/** The file behind a loop device, as sysfs tells it; undefined when it is free. */
function backingFile(number: number): string | undefined {
  const path = `/sys/block/loop${number}/loop/backing_file`;
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd() : undefined;
}

describeAddon('loop devices', (calls) => {
  const opened: number[] = [];
  const keep = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  afterEach(() => {
    for (const fd of opened.splice(0)) closeSync(fd);
  });
  const directory = useDirectory();

  function attach(file: string): AttachedLoop {
    const loop = attachLoop(file);
    keep(loop.fd);
    return loop;
  }

  /** A device that nobody uses, open. */
  function freeDevice(): { fd: number; number: number } {
    const control = keep(openSync('/dev/loop-control', 'r'));
    const number = calls.loopCtlGetFreeSync(control);
    return { fd: keep(openSync(`/dev/loop${number}`, 'r+')), number };
  }

  withLoops('make a file a block device until the last opener closes it', async () => {
    const file = sparseFile(directory.at('image'), 1 << 20);
    const loop = attachLoop(file);
    const info = statSync(file, { bigint: true });
    const status = calls.loopGetStatus64Sync(loop.fd);
    expect(status).toEqual({
      device: info.dev,
      inode: info.ino,
      number: loop.number,
      offset: 0,
      sizeLimit: 0,
      flags: LO_FLAGS_AUTOCLEAR,
      fileName: Buffer.from(file.slice(0, 63)),
    });
    expect(await calls.loopGetStatus64(loop.fd)).toEqual(status);
    expect(backingFile(loop.number)).toBe(file);

    writeFileSync(loop.path, 'through the device', { flag: 'r+', flush: true });
    expect(readFileSync(file).toString('latin1')).toMatch(/^through the device\0/);
    closeSync(loop.fd);
    expect(backingFile(loop.number)).toBeUndefined();
  });

  withLoops('attach in two steps where the kernel has no LOOP_CONFIGURE, and are detached by hand', () => {
    const backing = keep(openSync(sparseFile(directory.at('image'), 1 << 20), 'r+'));
    const { fd, number } = freeDevice();
    calls.loopSetFdSync(fd, backing);
    try {
      calls.loopSetStatus64Sync(fd, { offset: 4096, sizeLimit: 8192n, fileName: 'note' });
      expect(calls.loopGetStatus64Sync(fd)).toMatchObject({
        number,
        offset: 4096,
        sizeLimit: 8192,
        flags: 0,
        fileName: Buffer.from('note'),
      });
      expect(calls.blkGetSize64Sync(fd)).toBe(8192);
    } finally {
      calls.loopClrFdSync(fd);
    }
    expect(failureOf(() => calls.loopGetStatus64Sync(fd))).toMatchObject({
      code: 'ENXIO',
      syscall: 'ioctl(LOOP_GET_STATUS64)',
    });
  });

  withLoops('follow their file when it grows, once they are told', () => {
    const file = sparseFile(directory.at('image'), 1 << 20);
    const loop = attach(file);
    truncateSync(file, 3 << 20);
    expect(calls.blkGetSize64Sync(loop.fd)).toBe(1 << 20);
    calls.loopSetCapacitySync(loop.fd);
    expect(calls.blkGetSize64Sync(loop.fd)).toBe(3 << 20);
  });

  withLoops('obey flags and block size', () => {
    const backing = keep(openSync(sparseFile(directory.at('image'), 1 << 20), 'r'));
    const { fd, number } = freeDevice();
    calls.loopConfigureSync(fd, backing, {
      flags: LO_FLAGS_AUTOCLEAR | LO_FLAGS_READ_ONLY,
      blockSize: 4096,
    });
    expect(readFileSync(`/sys/block/loop${number}/ro`, 'utf8')).toBe('1\n');
    expect(readFileSync(`/sys/block/loop${number}/queue/logical_block_size`, 'utf8')).toBe('4096\n');
  });

  withLoops('bypass the page cache of a file on a disk when asked', () => {
    const loop = attach(sparseFile(directory.at('image'), 1 << 20));
    // Refused where the directory's file system cannot (tmpfs before Linux 6.5).
    try {
      calls.loopSetDirectIoSync(loop.fd, true);
      expect(readFileSync(`/sys/block/loop${loop.number}/loop/dio`, 'utf8')).toBe('1\n');
    } catch (error) {
      expect(error).toMatchObject({ code: 'EINVAL', syscall: 'ioctl(LOOP_SET_DIRECT_IO)' });
    }
    calls.loopSetDirectIoSync(loop.fd, false);
    expect(readFileSync(`/sys/block/loop${loop.number}/loop/dio`, 'utf8')).toBe('0\n');
  });

  withLoops('say who was faster, who is no loop device and which argument is none', () => {
    const loop = attach(sparseFile(directory.at('image'), 1 << 20));
    const backing = keep(openSync(sparseFile(directory.at('other'), 1 << 20), 'r+'));
    expect(failureOf(() => calls.loopConfigureSync(loop.fd, backing, {}))).toMatchObject({
      code: 'EBUSY',
      syscall: 'ioctl(LOOP_CONFIGURE)',
    });
    expect(failureOf(() => calls.loopSetFdSync(loop.fd, backing)).code).toBe('EBUSY');
    expect(failureOf(() => calls.loopGetStatus64Sync(backing)).code).toBe('ENOTTY');
    expect(failureOf(() => calls.loopSetStatus64Sync(loop.fd, { flags: 2 ** 32 })).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect(failureOf(() => calls.loopSetDirectIoSync(loop.fd, 1 as unknown as boolean)).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
  });

  withLoops('are never shared by processes that attach at the same time', async () => {
    const racers = 3;
    const rounds = 5;
    // None is closed before the racer ends, so that the numbers are really fought for.
    const script = `
      const { attachLoop, sparseFile } = await import(${JSON.stringify(
        new URL('../loop-devices.test-support.js', import.meta.url).href,
      )});
      const { loadNative } = await import(${JSON.stringify(new URL('../index.js', import.meta.url).href)});
      const { statSync } = await import('node:fs');
      const { calls } = loadNative();
      const racer = process.argv[1];
      const wrong = [];
      for (let round = 0; round < ${rounds}; round++) {
        const file = sparseFile(${JSON.stringify(directory.at('race-'))} + racer + '-' + round, 65536);
        const loop = attachLoop(file);
        if (calls.loopGetStatus64Sync(loop.fd).inode !== statSync(file, { bigint: true }).ino) wrong.push(file);
      }
      process.stdout.write(JSON.stringify(wrong));`;
    const race = (racer: number): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, `${racer}`]);
    const answers = await Promise.all(Array.from({ length: racers }, (_, racer) => race(racer)));
    expect(answers.map(({ stdout }) => stdout)).toEqual(Array.from({ length: racers }, () => '[]'));
  });
});
