import {
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { expect, it } from '@jest/globals';
import {
  describeAddon,
  failureOf,
  privileged,
  rejectionOf,
  runUnprivileged,
  useDirectory,
} from '../addon.test-support.js';
import { FS_APPEND_FL, FS_IMMUTABLE_FL } from '../constants.js';
import { native } from '../loader.js';

const asRoot = privileged ? it : it.skip;
const MIB = 1 << 20;

describeAddon('content', (calls) => {
  const shared = useDirectory('/dev/shm');
  const directory = useDirectory();

  it('is copied from offset to offset within the kernel', () => {
    writeFileSync(directory.at('source'), '0123456789');
    const source = openSync(directory.at('source'), 'r');
    const target = openSync(directory.at('target'), 'w');
    expect(calls.copyFileRangeSync(source, 2, target, 4, 3)).toBe(3);
    expect(calls.copyFileRangeSync(source, 10, target, 0, 5)).toBe(0);
    closeSync(source);
    closeSync(target);
    expect(readFileSync(directory.at('target'))).toEqual(Buffer.from([0, 0, 0, 0, 0x32, 0x33, 0x34]));
  });

  it('is copied from the descriptors own positions when no offset is given', async () => {
    writeFileSync(directory.at('source'), 'abcdef');
    const source = openSync(directory.at('source'), 'r');
    const target = openSync(directory.at('target'), 'w');
    expect(await calls.copyFileRange(source, undefined, target, undefined, 4)).toBe(4);
    expect(await calls.copyFileRange(source, undefined, target, undefined, 4)).toBe(2);
    closeSync(source);
    closeSync(target);
    expect(readFileSync(directory.at('target'), 'utf8')).toBe('abcdef');
    const failure = await rejectionOf(calls.copyFileRange(987654, 0, 987655, 0, 1));
    expect(failure).toMatchObject({ code: 'EBADF', errno: -9, syscall: 'copy_file_range' });
  });

  it('is shared by FICLONE, or the file system says that it cannot, and the feature remembers', () => {
    writeFileSync(shared.at('source'), 'x');
    const source = openSync(shared.at('source'), 'r');
    const target = openSync(shared.at('target'), 'w');
    // tmpfs has no reflinks.
    const failure = failureOf(() => calls.ficloneSync(target, source));
    expect(failure).toMatchObject({ code: 'EOPNOTSUPP', syscall: 'ioctl(FICLONE)' });
    closeSync(source);
    closeSync(target);
    expect(native.available && native.features.ficlone).toBe(false);
  });

  it('has holes where nothing was written', () => {
    const fd = openSync(shared.at('sparse'), 'w+');
    ftruncateSync(fd, 4 * MIB);
    writeSync(fd, 'data', 2 * MIB);
    const data = calls.seekDataSync(fd, 0);
    expect(data).toBe(2 * MIB);
    const hole = calls.seekHoleSync(fd, 2 * MIB);
    expect(hole).toBeGreaterThan(2 * MIB);
    expect(hole).toBeLessThan(3 * MIB);
    expect(calls.seekDataSync(fd, 3 * MIB)).toBeUndefined();
    expect(calls.seekHoleSync(fd, 4 * MIB)).toBeUndefined();
    closeSync(fd);
    expect(failureOf(() => calls.seekDataSync(fd, 0))).toMatchObject({ code: 'EBADF', syscall: 'lseek' });
  });
});

describeAddon('file systems', (calls) => {
  const directory = useDirectory();

  it('give their figures as node does, the type unsigned', () => {
    const expected = statfsSync('/dev/shm');
    const seen = calls.statfsSync('/dev/shm');
    expect(seen).toMatchObject({
      type: 0x01021994,
      bsize: expected.bsize,
      blocks: expected.blocks,
      files: expected.files,
    });
    expect(calls.statfsSync('/proc').type).toBe(0x9fa0);
    expect(failureOf(() => calls.statfsSync('/missing'))).toMatchObject({
      code: 'ENOENT',
      syscall: 'statfs',
      path: '/missing',
    });
  });

  it('are written back by descriptor', async () => {
    const fd = openSync('/dev/shm', 'r');
    expect(calls.syncfsSync(fd)).toBeUndefined();
    await expect(calls.syncfs(fd)).resolves.toBeUndefined();
    closeSync(fd);
    expect(failureOf(() => calls.syncfsSync(fd))).toMatchObject({ code: 'EBADF', syscall: 'syncfs' });
  });

  asRoot('keep inode flags, which then bind', () => {
    const path = directory.at('file');
    writeFileSync(path, '');
    const fd = openSync(path, 'r+');
    let before: number;
    try {
      before = calls.getFlagsSync(fd);
    } catch (error) {
      // A file system without inode flags (tmpfs before 6.0, overlay) has nothing to test here.
      expect((error as { code: string }).code).toBe('ENOTTY');
      closeSync(fd);
      return;
    }
    try {
      calls.setFlagsSync(fd, before | FS_IMMUTABLE_FL);
      expect(calls.getFlagsSync(fd) & (FS_IMMUTABLE_FL | FS_APPEND_FL)).toBe(FS_IMMUTABLE_FL);
      expect(failureOf(() => openSync(path, constants.O_WRONLY)).code).toBe('EPERM');
    } finally {
      calls.setFlagsSync(fd, before);
    }
    expect(calls.getFlagsSync(fd)).toBe(before);
    closeSync(fd);
  });

  asRoot('do not let an unprivileged process set the immutable flag', () => {
    mkdirSync(directory.at('sub'));
    const path = JSON.stringify('/etc/passwd');
    expect(
      runUnprivileged(`const fd = calls.openat2Sync(-100, ${path}, { flags: 0 });
        calls.setFlagsSync(fd, calls.getFlagsSync(fd) | 0x10);`),
    ).toEqual({ code: 'EPERM', syscall: 'ioctl(FS_IOC_SETFLAGS)' });
  });
});
