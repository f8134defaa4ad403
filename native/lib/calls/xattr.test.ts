import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import {
  describeAddon,
  failureOf,
  privileged,
  rejectionOf,
  runUnprivileged,
  useDirectory,
} from '../addon.test-support.js';
import { XATTR_CREATE, XATTR_REPLACE } from '../constants.js';

const asRoot = privileged ? it : it.skip;

describeAddon('extended attributes', (calls) => {
  const directory = useDirectory();
  const file = (): string => {
    writeFileSync(directory.at('file'), '');
    return directory.at('file');
  };

  it('hold bytes, empty ones too, and come back as they were', () => {
    const path = file();
    const value = Buffer.from([0, 1, 0xff, 0, 0x80]);
    calls.lsetxattrSync(path, 'user.bytes', value);
    calls.lsetxattrSync(path, 'user.empty', new Uint8Array(0));
    expect(calls.lgetxattrSync(path, 'user.bytes')).toEqual(value);
    expect(calls.lgetxattrSync(path, 'user.empty')).toEqual(Buffer.alloc(0));
    expect(calls.llistxattrSync(path).map(String).sort()).toEqual(['user.bytes', 'user.empty']);
  });

  it('give undefined for one that is not there, false for removing it', () => {
    const path = file();
    expect(calls.lgetxattrSync(path, 'user.none')).toBeUndefined();
    expect(calls.lremovexattrSync(path, 'user.none')).toBe(false);
    calls.lsetxattrSync(path, 'user.some', 'x');
    expect(calls.lremovexattrSync(path, 'user.some')).toBe(true);
    expect(calls.llistxattrSync(path)).toEqual([]);
  });

  it('fail for an object that is not there', () => {
    const path = directory.at('missing');
    expect(failureOf(() => calls.lgetxattrSync(path, 'user.x'))).toMatchObject({
      code: 'ENOENT',
      errno: -2,
      syscall: 'lgetxattr',
      path,
    });
    expect(failureOf(() => calls.llistxattrSync(path))).toMatchObject({
      code: 'ENOENT',
      syscall: 'llistxattr',
    });
  });

  it('are created or replaced only, when told so', () => {
    const path = file();
    expect(failureOf(() => calls.lsetxattrSync(path, 'user.x', '1', XATTR_REPLACE)).code).toBe('ENODATA');
    calls.lsetxattrSync(path, 'user.x', '1', XATTR_CREATE);
    expect(failureOf(() => calls.lsetxattrSync(path, 'user.x', '2', XATTR_CREATE)).code).toBe('EEXIST');
  });

  it('may be longer than the first guess at their size', () => {
    const small = useSharedMemory();
    const value = Buffer.alloc(3000, 7);
    calls.lsetxattrSync(small, 'user.long', value);
    for (let i = 0; i < 30; i++) calls.lsetxattrSync(small, `user.${'n'.repeat(60)}${i}`, 'x');
    expect(calls.lgetxattrSync(small, 'user.long')).toEqual(value);
    expect(calls.llistxattrSync(small)).toHaveLength(31);
  });

  it('can be read and written through a descriptor', async () => {
    const fd = openSync(file(), 'r+');
    calls.fsetxattrSync(fd, 'user.fd', 'value');
    expect(calls.fgetxattrSync(fd, 'user.fd')?.toString()).toBe('value');
    expect((await calls.flistxattr(fd)).map(String)).toEqual(['user.fd']);
    expect(await calls.fgetxattr(fd, 'user.other')).toBeUndefined();
    expect(await calls.fremovexattr(fd, 'user.fd')).toBe(true);
    expect(calls.fremovexattrSync(fd, 'user.fd')).toBe(false);
    closeSync(fd);
    expect(await rejectionOf(calls.fgetxattr(987654, 'user.x'))).toMatchObject({
      code: 'EBADF',
      syscall: 'fgetxattr',
    });
  });

  asRoot('belong to a link itself, not to its target', () => {
    const path = file();
    symlinkSync('file', directory.at('link'));
    calls.lsetxattrSync(directory.at('link'), 'trusted.link', 'x');
    expect(calls.lgetxattrSync(path, 'trusted.link')).toBeUndefined();
    expect(calls.lgetxattrSync(directory.at('link'), 'trusted.link')?.toString()).toBe('x');
  });

  asRoot('of the trusted kind are for root only', () => {
    mkdirSync(directory.at('open'), { mode: 0o777 });
    calls.lsetxattrSync(file(), 'trusted.secret', 'x');
    const path = JSON.stringify('/etc/passwd');
    expect(runUnprivileged(`calls.lsetxattrSync(${path}, 'trusted.x', 'y')`)).toEqual({
      code: 'EPERM',
      syscall: 'lsetxattr',
    });
    expect(runUnprivileged(`return calls.lgetxattrSync(${path}, 'trusted.x') === undefined`)).toBe(true);
  });

  const shared = useDirectory('/dev/shm');
  /** On tmpfs, where one object may have more attributes than an ext4 block holds. */
  function useSharedMemory(): string {
    writeFileSync(shared.at('file'), '');
    return shared.at('file');
  }
});
