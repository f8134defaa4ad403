import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, it } from '@jest/globals';
import {
  describeAddon,
  failureOf,
  privileged,
  runUnprivileged,
  useDirectory,
} from '../addon.test-support.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_PATH,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from '../constants.js';

const asRoot = privileged ? it : it.skip;

describeAddon('calls at a directory', (calls) => {
  const directory = useDirectory();

  /** Runs with a descriptor of the test's directory. */
  function within<Result>(body: (dirfd: number) => Result): Result {
    const dirfd = directory.open();
    try {
      return body(dirfd);
    } finally {
      closeSync(dirfd);
    }
  }

  it('stat as node does, in nanoseconds', () => {
    writeFileSync(directory.at('file'), 'twelve bytes');
    const expected = lstatSync(directory.at('file'), { bigint: true });
    const stat = within((dirfd) => calls.fstatatSync(dirfd, 'file', AT_SYMLINK_NOFOLLOW));
    expect(stat).toMatchObject({
      dev: expected.dev,
      ino: expected.ino,
      mode: Number(expected.mode),
      nlink: 1,
      uid: Number(expected.uid),
      gid: Number(expected.gid),
      size: 12,
      blocks: Number(expected.blocks),
      mtimeNs: expected.mtimeNs,
      atimeNs: expected.atimeNs,
      ctimeNs: expected.ctimeNs,
    });
  });

  it('stat a link, its target or the descriptor itself, as the flags say', async () => {
    writeFileSync(directory.at('file'), '');
    symlinkSync('file', directory.at('link'));
    const dirfd = directory.open();
    expect(calls.fstatatSync(dirfd, 'link', AT_SYMLINK_NOFOLLOW).mode & constants.S_IFMT).toBe(
      constants.S_IFLNK,
    );
    expect(calls.fstatatSync(dirfd, 'link').ino).toBe(calls.fstatatSync(dirfd, 'file').ino);
    expect((await calls.fstatat(dirfd, '', AT_EMPTY_PATH)).mode & constants.S_IFMT).toBe(constants.S_IFDIR);
    closeSync(dirfd);
  });

  it('read links as bytes, of any length, also through a descriptor of the link', () => {
    const odd = Buffer.from([0x2f, 0xff, 0xfe]);
    const long = 'x/'.repeat(2000);
    within((dirfd) => {
      calls.symlinkatSync(odd, dirfd, 'odd');
      calls.symlinkatSync(long, dirfd, 'long');
      expect(calls.readlinkatSync(dirfd, 'odd')).toEqual(odd);
      expect(calls.readlinkatSync(dirfd, 'long').toString()).toBe(long);
      const link = calls.openat2Sync(dirfd, 'odd', { flags: O_PATH | constants.O_NOFOLLOW });
      expect(calls.readlinkatSync(link, '')).toEqual(odd);
      closeSync(link);
      expect(failureOf(() => calls.readlinkatSync(dirfd, '.'))).toMatchObject({ code: 'EINVAL' });
    });
  });

  it('list names as bytes with inode and type, without the dots', () => {
    const odd = Buffer.from([0x6e, 0xff]);
    mkdirSync(directory.at('sub'));
    symlinkSync('nowhere', directory.at('link'));
    within((dirfd) => calls.mknodatSync(dirfd, odd, constants.S_IFIFO | 0o600));
    const fd = openSync(directory.at('.'), constants.O_RDONLY);
    const entries = calls.getdentsSync(fd);
    closeSync(fd);
    const seen = new Map(entries.map(({ name, type }) => [name.toString('latin1'), type]));
    expect(seen).toEqual(
      new Map([
        ['link', 10],
        [odd.toString('latin1'), 1],
        ['sub', 4],
      ]),
    );
    for (const { name, ino } of entries) {
      expect(ino).toBe(
        calls.fstatatSync(
          AT_FDCWD,
          Buffer.concat([Buffer.from(`${directory.at('.')}/`), name]),
          AT_SYMLINK_NOFOLLOW,
        ).ino,
      );
    }
  });

  it('list a large directory whole, or piece by piece', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => `name-${i}`.padEnd(60, '-'));
    within((dirfd) => {
      for (const name of names) calls.mknodatSync(dirfd, name, constants.S_IFREG | 0o600);
    });
    const fd = openSync(directory.at('.'), constants.O_RDONLY);
    expect((await calls.getdents(fd)).map(({ name }) => name.toString()).sort()).toEqual([...names].sort());
    closeSync(fd);
    const again = openSync(directory.at('.'), constants.O_RDONLY);
    const pieces: string[] = [];
    for (
      let piece = calls.getdentsSync(again, 4096);
      piece.length > 0;
      piece = calls.getdentsSync(again, 4096)
    ) {
      expect(piece.length).toBeLessThan(100);
      pieces.push(...piece.map(({ name }) => name.toString()));
    }
    closeSync(again);
    expect(pieces.sort()).toEqual([...names].sort());
  });

  it('make directories, links and pipes', () => {
    within((dirfd) => {
      calls.mkdiratSync(dirfd, 'sub', 0o750);
      calls.symlinkatSync('sub', dirfd, 'link');
      calls.mknodatSync(dirfd, 'pipe', constants.S_IFIFO | 0o640);
    });
    expect(statSync(directory.at('sub')).mode & 0o7777).toBe(0o750);
    expect(readlinkSync(directory.at('link'))).toBe('sub');
    expect(statSync(directory.at('pipe')).isFIFO()).toBe(true);
    expect(failureOf(() => calls.mkdiratSync(AT_FDCWD, directory.at('sub')))).toMatchObject({
      code: 'EEXIST',
      syscall: 'mkdirat',
    });
  });

  asRoot('make device nodes with large numbers', () => {
    within((dirfd) => {
      calls.mknodatSync(dirfd, 'device', constants.S_IFBLK | 0o600, 4095, 1048575);
      expect(calls.fstatatSync(dirfd, 'device')).toMatchObject({ rdevMajor: 4095, rdevMinor: 1048575 });
      calls.mknodatSync(dirfd, 'whiteout', constants.S_IFCHR, 0, 0);
      expect(calls.fstatatSync(dirfd, 'whiteout')).toMatchObject({ rdevMajor: 0, rdevMinor: 0 });
    });
  });

  it('link a symbolic link itself, or with AT_SYMLINK_FOLLOW its target', () => {
    writeFileSync(directory.at('file'), 'x');
    symlinkSync('file', directory.at('link'));
    within((dirfd) => {
      calls.linkatSync(dirfd, 'link', dirfd, 'itself');
      calls.linkatSync(dirfd, 'link', dirfd, 'target', AT_SYMLINK_FOLLOW);
    });
    expect(lstatSync(directory.at('itself')).isSymbolicLink()).toBe(true);
    expect(lstatSync(directory.at('target')).isFile()).toBe(true);
  });

  asRoot('give a nameless file a name through its descriptor', () => {
    const fd = openSync(directory.at('.'), constants.O_WRONLY | 0o20000000 | constants.O_DIRECTORY, 0o600);
    within((dirfd) => calls.linkatSync(fd, '', dirfd, 'named', AT_EMPTY_PATH));
    expect(fstatSync(fd).ino).toBe(statSync(directory.at('named')).ino);
    closeSync(fd);
  });

  it('unlink files and, when told so, directories', () => {
    mkdirSync(directory.at('sub'));
    writeFileSync(directory.at('file'), '');
    within((dirfd) => {
      expect(failureOf(() => calls.unlinkatSync(dirfd, 'sub'))).toMatchObject({
        code: 'EISDIR',
        path: 'sub',
      });
      calls.unlinkatSync(dirfd, 'sub', AT_REMOVEDIR);
      calls.unlinkatSync(dirfd, 'file');
      expect(failureOf(() => calls.unlinkatSync(dirfd, 'file'))).toMatchObject({ code: 'ENOENT' });
    });
  });

  it('rename, without replacing, and exchanging', () => {
    writeFileSync(directory.at('a'), 'a');
    writeFileSync(directory.at('b'), 'b');
    within((dirfd) => {
      expect(failureOf(() => calls.renameat2Sync(dirfd, 'a', dirfd, 'b', RENAME_NOREPLACE))).toMatchObject({
        code: 'EEXIST',
        syscall: 'renameat2',
        path: 'a',
        dest: 'b',
      });
      calls.renameat2Sync(dirfd, 'a', dirfd, 'b', RENAME_EXCHANGE);
      expect(readFileSync(directory.at('b'), 'utf8')).toBe('a');
      calls.renameat2Sync(dirfd, 'a', dirfd, 'b');
      expect(readFileSync(directory.at('b'), 'utf8')).toBe('b');
    });
  });

  it.each([
    [
      'fchmodat',
      (dirfd: number, name: string, mode: number) =>
        calls.fchmodatSync(dirfd, name, mode, AT_SYMLINK_NOFOLLOW),
    ],
    [
      'its fallback',
      (dirfd: number, name: string, mode: number) => calls.fchmodByDescriptorSync(dirfd, name, mode),
    ],
  ])('change modes without following links: %s', (_name, chmod) => {
    writeFileSync(directory.at('file'), '');
    symlinkSync('file', directory.at('link'));
    const before = statSync(directory.at('file')).mode & 0o7777;
    within((dirfd) => {
      expect(failureOf(() => chmod(dirfd, 'link', 0o777))).toMatchObject({
        code: 'EOPNOTSUPP',
        syscall: 'fchmodat',
      });
      expect(statSync(directory.at('file')).mode & 0o7777).toBe(before);
      chmod(dirfd, 'file', 0o4751);
      expect(statSync(directory.at('file')).mode & 0o7777).toBe(0o4751);
      expect(failureOf(() => chmod(dirfd, 'missing', 0o777))).toMatchObject({
        code: 'ENOENT',
        path: 'missing',
      });
    });
  });

  it('change modes following links when not told otherwise, and of a descriptor', () => {
    writeFileSync(directory.at('file'), '');
    symlinkSync('file', directory.at('link'));
    within((dirfd) => {
      calls.fchmodatSync(dirfd, 'link', 0o600);
      expect(statSync(directory.at('file')).mode & 0o7777).toBe(0o600);
      const file = calls.openat2Sync(dirfd, 'file', { flags: O_PATH });
      calls.fchmodatSync(file, '', 0o640, AT_EMPTY_PATH);
      expect(statSync(directory.at('file')).mode & 0o7777).toBe(0o640);
      calls.fchmodByDescriptorSync(file, '', 0o644);
      expect(statSync(directory.at('file')).mode & 0o7777).toBe(0o644);
      closeSync(file);
    });
  });

  asRoot('change owners, of links themselves too, and leave -1 alone', () => {
    symlinkSync('nowhere', directory.at('link'));
    within((dirfd) => {
      calls.fchownatSync(dirfd, 'link', 4_000_000_000, 7, AT_SYMLINK_NOFOLLOW);
      calls.fchownatSync(dirfd, 'link', -1, 8, AT_SYMLINK_NOFOLLOW);
    });
    expect(lstatSync(directory.at('link'))).toMatchObject({ uid: 4_000_000_000, gid: 8 });
  });

  it('set times to the nanosecond, before the epoch too, and leave undefined alone', async () => {
    writeFileSync(directory.at('file'), '');
    const dirfd = directory.open();
    calls.utimensatSync(dirfd, 'file', 1_700_000_000_123_456_789n, -1n);
    expect(calls.fstatatSync(dirfd, 'file')).toMatchObject({
      atimeNs: 1_700_000_000_123_456_789n,
      mtimeNs: -1n,
    });
    await calls.utimensat(dirfd, 'file', undefined, 5n);
    expect(calls.fstatatSync(dirfd, 'file')).toMatchObject({
      atimeNs: 1_700_000_000_123_456_789n,
      mtimeNs: 5n,
    });
    symlinkSync('file', directory.at('link'));
    calls.utimensatSync(dirfd, 'link', 0n, 9n, AT_SYMLINK_NOFOLLOW);
    expect(calls.fstatatSync(dirfd, 'link', AT_SYMLINK_NOFOLLOW).mtimeNs).toBe(9n);
    expect(calls.fstatatSync(dirfd, 'file').mtimeNs).toBe(5n);
    closeSync(dirfd);
  });

  it('open close-on-exec', () => {
    const fd = calls.openat2Sync(AT_FDCWD, '/', { flags: O_PATH });
    expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/flags:\s+012[0-7]*/);
    closeSync(fd);
  });

  it('create files through openat2 with the mode given', () => {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    within((dirfd) => closeSync(calls.openat2Sync(dirfd, 'new', { flags, mode: 0o640 })));
    expect(statSync(directory.at('new')).mode & 0o7777).toBe(0o640);
    expect(
      failureOf(() => calls.openat2Sync(AT_FDCWD, directory.at('new'), { flags, mode: 0o640 })).code,
    ).toBe('EEXIST');
  });

  it('tell an unprivileged process no', () => {
    const at = JSON.stringify(directory.at('.'));
    expect(
      runUnprivileged(`calls.mknodatSync(-100, '/dev/shm/native-node-' + process.pid, 0o020600, 1, 3)`),
    ).toEqual({
      code: 'EPERM',
      syscall: 'mknodat',
    });
    expect(runUnprivileged(`return calls.fchownatSync(-100, '/etc/passwd', 65534, 65534)`)).toMatchObject({
      code: 'EPERM',
    });
    if (privileged)
      expect(runUnprivileged(`calls.mkdiratSync(-100, ${at} + '/sub')`)).toMatchObject({ code: 'EACCES' });
  });

  it('run a list of steps below a directory, and refuse a text that is none', async () => {
    mkdirSync(directory.at('home'));
    calls.directoryStepsSync(directory.at('home'), 'directory\0d\x00448\0file\0d/f\x00384\0text\0');
    expect(readFileSync(directory.at('home/d/f'), 'utf8')).toBe('text');
    await calls.directorySteps(directory.at('home'), 'unlink\0d/f\0rmdir\0d\0unlink-if-there\0d/f\0');
    expect(readdirSync(directory.at('home'))).toEqual([]);
    for (const steps of ['what\0d\0', 'directory\0d\0', 'directory\0d\x00rwx\0', 'rename\0d\0e\0x']) {
      expect(failureOf(() => calls.directoryStepsSync(directory.at('home'), steps))).toMatchObject({
        code: expect.stringMatching(/^E(?:INVAL|NOENT)$/),
      });
      expect(readdirSync(directory.at('home'))).toEqual([]);
    }
    expect(failureOf(() => calls.directoryStepsSync(directory.at('absent'), ''))).toMatchObject({
      code: 'ENOENT',
      path: directory.at('absent'),
    });
  });
});
