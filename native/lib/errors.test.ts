import { closeSync, openSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import {
  describeAddon,
  failureOf,
  openDescriptors,
  rejectionOf,
  useDirectory,
} from './addon.test-support.js';
import { AT_FDCWD, O_PATH } from './constants.js';

describeAddon('failures', (calls) => {
  const directory = useDirectory();

  it('carry code, errno, syscall, path and a message in the words of node:fs', () => {
    const path = directory.at('missing');
    const expected = {
      code: 'ENOENT',
      errno: -2,
      syscall: 'readlinkat',
      path,
      message: `ENOENT: no such file or directory, readlinkat '${path}'`,
    };
    expect(failureOf(() => calls.readlinkatSync(AT_FDCWD, path))).toMatchObject(expected);
  });

  it('are the same from the pool', async () => {
    const path = directory.at('missing');
    const sync = failureOf(() => calls.fstatatSync(AT_FDCWD, path));
    const pooled = await rejectionOf(calls.fstatat(AT_FDCWD, path));
    for (const key of ['code', 'errno', 'syscall', 'path', 'message'] as const)
      expect(pooled[key]).toBe(sync[key]);
  });

  it('name both paths of a call that has two', () => {
    const [from, to] = [directory.at('from'), directory.at('to')];
    expect(failureOf(() => calls.linkatSync(AT_FDCWD, from, AT_FDCWD, to))).toMatchObject({
      path: from,
      dest: to,
    });
  });

  it('show a path that is not UTF-8 byte by byte', () => {
    const path = Buffer.concat([Buffer.from(directory.at('x')), Buffer.from([0xff, 0xc3])]);
    expect(failureOf(() => calls.fstatatSync(AT_FDCWD, path)).path).toBe(path.toString('latin1'));
    const text = Buffer.from(directory.at('é'));
    expect(failureOf(() => calls.fstatatSync(AT_FDCWD, text)).path).toBe(text.toString('utf8'));
  });

  it('have no path when the call has none', () => {
    expect(failureOf(() => calls.getdentsSync(987654))).toMatchObject({
      code: 'EBADF',
      syscall: 'getdents64',
    });
    expect('path' in failureOf(() => calls.getdentsSync(987654))).toBe(false);
  });

  it.each([
    ['a descriptor', () => calls.fstatatSync('1' as never, 'x'), 'ERR_INVALID_ARG_TYPE'],
    ['a fraction', () => calls.getdentsSync(1.5), 'ERR_INVALID_ARG_TYPE'],
    ['a path', () => calls.fstatatSync(AT_FDCWD, 7 as never), 'ERR_INVALID_ARG_TYPE'],
    ['a NUL', () => calls.fstatatSync(AT_FDCWD, 'a\0b'), 'ERR_INVALID_ARG_VALUE'],
    ['a NUL in bytes', () => calls.mkdiratSync(AT_FDCWD, Buffer.from('a\0b')), 'ERR_INVALID_ARG_VALUE'],
    ['a missing object', () => calls.openat2Sync(AT_FDCWD, '/', undefined as never), 'ERR_INVALID_ARG_TYPE'],
    [
      'a time over 64 bits',
      () => calls.utimensatSync(AT_FDCWD, '/', 1n << 63n, undefined),
      'ERR_INVALID_ARG_TYPE',
    ],
    ['an owner', () => calls.fchownatSync(AT_FDCWD, '/', -2, 0), 'ERR_INVALID_ARG_TYPE'],
    ['an offset over 2^53', () => calls.seekDataSync(0, 2 ** 53), 'ERR_INVALID_ARG_TYPE'],
    ['a lock kind', () => calls.ofdLockSync(0, 'both' as never), 'ERR_INVALID_ARG_VALUE'],
    ['a CRC seed', () => calls.crc64(new Uint8Array(7), new Uint8Array(0)), 'ERR_INVALID_ARG_VALUE'],
  ])('of an argument are TypeErrors: %s', (_what, action, code) => {
    expect(failureOf(action)).toMatchObject({ name: 'TypeError', code });
  });

  it('of an argument are thrown, not rejected, also from the pool form', () => {
    expect(failureOf(() => calls.fstatat(AT_FDCWD, 7 as never))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });

  it('leave no descriptor behind, nor do successes', async () => {
    const root = openSync('/', O_PATH);
    const how = { flags: O_PATH, resolve: 0x10 };
    const walkHow = { flags: O_PATH, resolve: 0x10 };
    const before = openDescriptors();
    for (let i = 0; i < 200; i++) {
      closeSync(calls.openat2Sync(root, 'usr/bin/env', how));
      closeSync(calls.confinedOpenSync(root, 'usr/bin/../lib', walkHow));
      failureOf(() => calls.openat2Sync(root, 'nope', how));
      failureOf(() => calls.confinedOpenSync(root, 'usr/bin/nope/nope', walkHow));
      failureOf(() => calls.fchmodByDescriptorSync(root, 'nope', 0o755));
      failureOf(() => calls.fsopenSync('no-such-file-system'));
    }
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        closeSync(await calls.openat2(root, 'usr', how));
        await rejectionOf(calls.confinedOpen(root, 'usr/nope', walkHow));
      }),
    );
    expect(openDescriptors()).toBe(before);
    closeSync(root);
  });
});
