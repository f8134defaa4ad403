import { execFileSync, spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, it } from '@jest/globals';
import { S_IFBLK, S_IFCHR, S_IFIFO } from '../root/file-stat.js';
import { describeWithAddon } from './describe-with-addon.test-support.js';
import {
  DEFAULT_MTIME,
  DEFAULT_OPTIONS,
  EXECUTORS,
  nativeCalls,
  Sandbox,
  Script,
} from './executor.test-support.js';
import { openExtractExecutor } from './open.js';
import { FLAG_SPARSE, NO_INDEX } from './operation.js';

/** A valid version 2 file capability: cap_net_raw, permitted and effective. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
/** The portable executor sets times through libuv, which keeps microseconds. */
const NANOSECONDS = { native: 123_456_789, portable: 123_456_000 };

describeWithAddon.each(EXECUTORS)('%s executor', (kind) => {
  it('makes files with content, mode, owner and times', async () => {
    await using sandbox = new Sandbox(kind);
    const mtime = { seconds: 1_234_567_890, nanoseconds: NANOSECONDS[kind] };
    const atime = { seconds: 1_234_567_999, nanoseconds: 0 };
    await sandbox.extract(
      {},
      new Script().file('hello', 'hello world', { mode: 0o640, uid: 1000, gid: 1001, mtime, atime }),
    );
    const stat = lstatSync(sandbox.path('hello'), { bigint: true });
    expect(readFileSync(sandbox.path('hello'), 'utf8')).toBe('hello world');
    expect([stat.mode & 0o7777n, stat.uid, stat.gid]).toEqual([0o640n, 1000n, 1001n]);
    expect(stat.mtimeNs).toBe(1_234_567_890_000_000_000n + BigInt(NANOSECONDS[kind]));
    expect(stat.atimeNs).toBe(1_234_567_999_000_000_000n);
  });

  it('gives modes that the process umask would mask', async () => {
    await using sandbox = new Sandbox(kind);
    const before = process.umask();
    const script = new Script()
      .directory('d', { mode: 0o777 })
      .file('d/f', 'x', { mode: 0o666 })
      .node('d/p', S_IFIFO, 0, 0, { mode: 0o622 });
    await sandbox.extract({}, script);
    expect(lstatSync(sandbox.path('d')).mode & 0o7777).toBe(0o777);
    expect(lstatSync(sandbox.path('d/f')).mode & 0o7777).toBe(0o666);
    expect(lstatSync(sandbox.path('d/p')).mode & 0o7777).toBe(0o622);
    expect(process.umask()).toBe(before);
    expect(before).not.toBe(0);
  });

  it('keeps setuid bits and file capabilities, which a change of owner clears', async () => {
    await using sandbox = new Sandbox(kind);
    const xattrs = { 'security.capability': CAPABILITY, 'trusted.note': Buffer.from([0, 255, 10]) };
    await sandbox.extract({}, new Script().file('ping', 'elf', { mode: 0o6755, uid: 5, gid: 6, xattrs }));
    expect(lstatSync(sandbox.path('ping')).mode & 0o7777).toBe(0o6755);
    expect(nativeCalls().lgetxattrSync(sandbox.path('ping'), 'security.capability')).toEqual(CAPABILITY);
    expect(nativeCalls().lgetxattrSync(sandbox.path('ping'), 'trusted.note')).toEqual(
      Buffer.from([0, 255, 10]),
    );
  });

  it('gives the mode of the entry to a file whose ACL says otherwise', async () => {
    await using sandbox = new Sandbox(kind);
    // user::rw-, user:1000:rw-, group::r--, mask::rw-, other::r--: setting it makes the group bits rw-.
    const entries = '01000600ffffffff02000600e803000004000400ffffffff10000600ffffffff20000400ffffffff';
    const xattrs = { 'system.posix_acl_access': Buffer.from(`02000000${entries}`, 'hex') };
    await sandbox.extract({}, new Script().file('f', 'x', { mode: 0o604, xattrs }));
    expect(lstatSync(sandbox.path('f')).mode & 0o7777).toBe(0o604);
  });

  it('sets what is inherited before anything can inherit it', async () => {
    await using sandbox = new Sandbox(kind);
    const entries = '01000600ffffffff02000600e803000004000400ffffffff10000600ffffffff20000400ffffffff';
    const acl = Buffer.from(`02000000${entries}`, 'hex');
    const xattrs = { 'system.posix_acl_default': acl, 'user.note': Buffer.from('x') };
    await sandbox.extract({}, new Script().directory('d', { xattrs }).file('d/f', 'x'));
    const inherited = nativeCalls().lgetxattrSync(sandbox.path('d/f'), 'system.posix_acl_access');
    expect(inherited?.toString('hex')).toContain('02000600e8030000');
  });

  it('takes no group from a set-group-id directory, nor its bit', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .directory('s', { mode: 0o2775, gid: 77 })
      .directory('s/d', { mode: 0o755, gid: 0 })
      .file('s/f', 'x', { gid: 0 })
      .symlink('s/l', 'f', { gid: 0 })
      .node('s/p', S_IFIFO, 0, 0, { gid: 0 });
    await sandbox.extract({}, script);
    expect(['d', 'f', 'l', 'p'].map((name) => lstatSync(sandbox.path(`s/${name}`)).gid)).toEqual([
      0, 0, 0, 0,
    ]);
    expect(lstatSync(sandbox.path('s/d')).mode & 0o7777).toBe(0o755);
    expect(lstatSync(sandbox.path('s')).mode & 0o7777).toBe(0o2775);
  });

  it('reports a CRC-64 for every indexed file, across batches, in order', async () => {
    await using sandbox = new Sandbox(kind);
    const begin = new Script();
    const meta = { mode: 0o644, uid: 0, gid: 0, mtime: DEFAULT_MTIME, atime: DEFAULT_MTIME };
    begin.file('empty', '', { index: 0 }).file('plain', 'unindexed');
    begin.batch.file(Buffer.from('split'), meta, [], 9, 1);
    begin.batch.data(0, begin.append(Buffer.from('1234')), 4);
    const end = new Script();
    end.batch.data(4, end.append(Buffer.from('56789')), 5);
    end.batch.fileEnd();
    end.file('last', '123456789', { index: 2 });
    const { checksums } = await sandbox.extract({}, begin, end);
    // CRC-64/GO-ISO of "123456789" as the catalogue of parametrised CRC algorithms has it.
    const check = Buffer.from('b90956c775a41001', 'hex');
    expect(checksums.map(({ fileIndex }) => fileIndex)).toEqual([0, 1, 2]);
    expect(checksums.map(({ crc }) => Buffer.from(crc))).toEqual([Buffer.alloc(8), check, check]);
    expect(readFileSync(sandbox.path('split'), 'utf8')).toBe('123456789');
  });

  it('leaves holes in sparse files and gives them their full size', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script();
    const size = 5_000_000_000;
    const meta = { mode: 0o600, uid: 0, gid: 0, mtime: DEFAULT_MTIME, atime: DEFAULT_MTIME };
    script.batch.file(Buffer.from('sparse'), meta, [], size, NO_INDEX, FLAG_SPARSE);
    script.batch.data(4_500_000_000, script.append(Buffer.from('far')), 3);
    script.batch.fileEnd();
    const { checksums } = await sandbox.extract({}, script);
    const stat = lstatSync(sandbox.path('sparse'));
    expect(stat.size).toBe(size);
    expect(stat.blocks * 512).toBeLessThan(1 << 20);
    expect(contentAt(sandbox.path('sparse'), 4_499_999_999, 5)).toBe('\0far\0');
    expect(stat.mtimeMs).toBe(DEFAULT_MTIME.seconds * 1000 + 125);
    expect(checksums).toEqual([]);
  });

  it('makes missing parents with mode 0755 and the implied owner', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract({ impliedUid: 7, impliedGid: 8 }, new Script().file('a/b/c', 'x').directory('d/e'));
    for (const name of ['a', 'a/b', 'd']) {
      const { mode, uid, gid } = lstatSync(sandbox.path(name));
      expect([mode & 0o7777, uid, gid]).toEqual([0o755, 7, 8]);
    }
    expect(lstatSync(sandbox.path('d/e')).uid).toBe(0);
  });

  it('merges a directory into a directory and gives directories their times last', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract({}, new Script().directory('d', { mode: 0o700 }).file('d/lower', 'x'));
    const first = new Script()
      .directory('d', { mode: 0o711, mtime: { seconds: 1, nanoseconds: 0 } })
      .directory('d/e', { mtime: { seconds: 3, nanoseconds: 0 } })
      .directory('d', { mode: 0o751, uid: 3, mtime: { seconds: 2, nanoseconds: 0 } });
    await sandbox.extract({}, first, new Script().file('d/e/late', 'x').file('d/later', 'x'));
    const stat = lstatSync(sandbox.path('d'));
    expect([stat.mode & 0o7777, stat.uid, stat.mtimeMs]).toEqual([0o751, 3, 2000]);
    expect(lstatSync(sandbox.path('d/e')).mtimeMs).toBe(3000);
    expect(readdirSync(sandbox.path('d'))).toEqual(['e', 'later', 'lower']);
  });

  it('passes over directories that were replaced before their times were due', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .directory('gone/inner', { mtime: { seconds: 5, nanoseconds: 0 } })
      .file('gone', 'now a file')
      .directory('kept', { mtime: { seconds: 6, nanoseconds: 0 } });
    await sandbox.extract({}, script);
    expect(lstatSync(sandbox.path('gone')).mtimeMs).toBe(DEFAULT_MTIME.seconds * 1000 + 125);
    expect(lstatSync(sandbox.path('kept')).mtimeMs).toBe(6000);
  });

  it('applies the root entry to the root', async () => {
    await using sandbox = new Sandbox(kind);
    const mtime = { seconds: 9, nanoseconds: 0 };
    const xattrs = { 'trusted.root': Buffer.from('yes') };
    await sandbox.extract(
      {},
      new Script().directory('', { mode: 0o1777, uid: 4, mtime, xattrs }).file('f', 'x'),
    );
    const stat = lstatSync(sandbox.root);
    expect([stat.mode & 0o7777, stat.uid, stat.mtimeMs]).toEqual([0o1777, 4, 9000]);
    expect(nativeCalls().lgetxattrSync(sandbox.root, 'trusted.root')).toEqual(Buffer.from('yes'));
  });

  it.each(['d', ''])(
    'the entry of a directory that is there (%j) replaces its user attributes',
    async (name) => {
      await using sandbox = new Sandbox(kind);
      const bytes = (text: string) => Buffer.from(text);
      const before = {
        'user.old': bytes('1'),
        'user.both': bytes('1'),
        'user.overlay.opaque': bytes('y'),
        'user.layerstore.owner': bytes('0:0'),
        'trusted.kept': bytes('1'),
      };
      await sandbox.extract({}, new Script().directory(name, { xattrs: before }));
      const again = () => new Script().directory(name, { xattrs: { 'user.both': bytes('2') } });
      const names = () =>
        nativeCalls()
          .llistxattrSync(sandbox.path(name))
          .map(String)
          .filter((n) => !n.startsWith('security'))
          .toSorted();
      const kept = ['trusted.kept', 'user.both', 'user.layerstore.owner', 'user.overlay.opaque'];
      await sandbox.extract({ replaceMergedXattrs: false }, again());
      expect(names()).toEqual([...kept, 'user.old'].toSorted());
      await sandbox.extract({}, again());
      // Without the addon attributes cannot be listed.
      expect(names()).toEqual(kind === 'native' ? kept : [...kept, 'user.old'].toSorted());
      expect(nativeCalls().lgetxattrSync(sandbox.path(name), 'user.both')).toEqual(bytes('2'));
    },
  );

  it('makes symbolic links with any text, their own owner and times', async () => {
    await using sandbox = new Sandbox(kind);
    const mtime = { seconds: 100, nanoseconds: 0 };
    await sandbox.extract({}, new Script().symlink('l', '/../no where/\\x', { uid: 8, gid: 9, mtime }));
    const stat = lstatSync(sandbox.path('l'));
    expect(readlinkSync(sandbox.path('l'))).toBe('/../no where/\\x');
    expect([stat.uid, stat.gid, stat.mtimeMs]).toEqual([8, 9, 100_000]);
  });

  it('links names to one inode and leaves its metadata alone', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .file('a', 'content', { mode: 0o604, uid: 3 })
      .file('x/other', 'old')
      .hardlink('x/other', 'a')
      .hardlink('x/other', 'a')
      .symlink('s', 'a')
      .hardlink('s2', 's');
    await sandbox.extract({}, script);
    const [a, other] = [lstatSync(sandbox.path('a')), lstatSync(sandbox.path('x/other'))];
    expect(other.ino).toBe(a.ino);
    expect([a.nlink, a.mode & 0o7777, a.uid, a.mtimeMs]).toEqual([
      2,
      0o604,
      3,
      DEFAULT_MTIME.seconds * 1000 + 125,
    ]);
    // The link's last component is not followed: both names are the symbolic link.
    expect(lstatSync(sandbox.path('s2')).ino).toBe(lstatSync(sandbox.path('s')).ino);
  });

  it.each([
    ['missing', 'nothing'],
    ['below a missing directory', 'no/thing'],
    ['below a file', 'f/x'],
    ['a directory', 'd'],
  ])('refuses a hard link whose target is %s', async (_, target) => {
    await using sandbox = new Sandbox(kind);
    const script = new Script().file('f', 'x').directory('d').hardlink('l', target);
    await expect(sandbox.extract({}, script)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID_LINK',
      path: 'l',
    });
  });

  it('makes device nodes and FIFOs with mode and owner, without opening them', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .node('null', S_IFCHR, 1, 3, { mode: 0o666, uid: 2 })
      .node('disk', S_IFBLK, 7, 260, { mode: 0o660, gid: 6 })
      .node('pipe', S_IFIFO, 0, 0, { mode: 0o4644, xattrs: { 'trusted.p': Buffer.from('1') } });
    await sandbox.extract({}, script);
    const stat = (name: string) => nativeCalls().fstatatSync(-100, sandbox.path(name), 0x100);
    expect([stat('null').rdevMajor, stat('null').rdevMinor, stat('null').mode]).toEqual([
      1,
      3,
      S_IFCHR | 0o666,
    ]);
    expect([stat('disk').rdevMajor, stat('disk').rdevMinor, stat('disk').mode]).toEqual([
      7,
      260,
      S_IFBLK | 0o660,
    ]);
    expect(stat('pipe').mode).toBe(S_IFIFO | 0o4644);
    expect(nativeCalls().lgetxattrSync(sandbox.path('pipe'), 'trusted.p')).toEqual(Buffer.from('1'));
    expect(lstatSync(sandbox.path('null')).mtimeMs).toBe(DEFAULT_MTIME.seconds * 1000 + 125);
  });

  it('replaces what is there, whatever it is, and never writes through it', async () => {
    await using sandbox = new Sandbox(kind);
    const canary = `${sandbox.base}/canary`;
    writeFileSync(canary, 'alive');
    for (const name of ['file', 'dir', 'link', 'fifo', 'node']) symlinkSync(canary, sandbox.path(name));
    mkdirSync(sandbox.path('tree/deep'), { recursive: true });
    writeFileSync(sandbox.path('tree/deep/x'), 'x');
    symlinkSync(sandbox.base, sandbox.path('tree/out'));
    const script = new Script()
      .file('file', 'new', { mode: 0o600 })
      .directory('dir')
      .symlink('link', 'elsewhere')
      .node('fifo', S_IFIFO, 0, 0)
      .file('tree', 'was a directory');
    await sandbox.extract({}, script);
    expect(readFileSync(canary, 'utf8')).toBe('alive');
    expect(readFileSync(sandbox.path('file'), 'utf8')).toBe('new');
    expect(lstatSync(sandbox.path('dir')).isDirectory()).toBe(true);
    expect(readlinkSync(sandbox.path('link'))).toBe('elsewhere');
    expect(lstatSync(sandbox.path('fifo')).isFIFO()).toBe(true);
    expect(readFileSync(sandbox.path('tree'), 'utf8')).toBe('was a directory');
  });

  it('refuses to let directories and other objects replace each other when told so', async () => {
    await using sandbox = new Sandbox(kind);
    mkdirSync(sandbox.path('d'));
    writeFileSync(sandbox.path('f'), 'old');
    const refused = { code: 'ARCHIVE_OVERWRITE_REFUSED' };
    const options = { replaceAcrossTypes: false };
    await expect(sandbox.extract(options, new Script().file('d', 'x'))).rejects.toMatchObject({
      ...refused,
      path: 'd',
    });
    await expect(sandbox.extract(options, new Script().directory('f'))).rejects.toMatchObject({
      ...refused,
      path: 'f',
    });
    await sandbox.extract(options, new Script().file('f', 'new').directory('d', { mode: 0o700 }));
    expect(readFileSync(sandbox.path('f'), 'utf8')).toBe('new');
  });

  const itNative = kind === 'native' ? it : it.skip;
  itNative('replaces immutable files on file systems that have them', async () => {
    await using sandbox = new Sandbox(kind, '/var/tmp');
    writeFileSync(sandbox.path('fixed'), 'old');
    try {
      execFileSync('chattr', ['+i', sandbox.path('fixed')], { stdio: 'ignore' });
    } catch {
      console.warn('skipped: chattr +i does not work under /var/tmp');
      return;
    }
    await sandbox.extract({}, new Script().file('fixed', 'new'));
    expect(readFileSync(sandbox.path('fixed'), 'utf8')).toBe('new');
  });

  itNative('copies a file that can take no more hard links', async () => {
    // ext4 allows 65,000.
    await using sandbox = new Sandbox(kind, '/var/tmp');
    const script = new Script().file('first', 'content', { mode: 0o604, uid: 3 });
    for (let index = 0; index < 65_000; index++) script.hardlink(`links/${index}`, 'first');
    await sandbox.extract({}, script);
    const [first, last] = [lstatSync(sandbox.path('first')), lstatSync(sandbox.path('links/64999'))];
    if (first.nlink === 65_001) {
      console.warn('skipped: the file system under /var/tmp has no such limit');
      return;
    }
    expect(last.ino).not.toBe(first.ino);
    expect([last.mode, last.uid, last.mtimeMs]).toEqual([first.mode, 3, first.mtimeMs]);
    expect(readFileSync(sandbox.path('links/64999'), 'utf8')).toBe('content');
  });

  it('moves and removes objects of its own', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .file('.scratch/0', 'plink')
      .move('.scratch/0', 'usr/bin/tool')
      .remove('.scratch');
    await sandbox.extract({}, script, new Script().remove('never/was'));
    expect(readFileSync(sandbox.path('usr/bin/tool'), 'utf8')).toBe('plink');
    expect(readdirSync(sandbox.root)).toEqual(['usr']);
  });

  it('leaves owners alone without chown', async () => {
    await using sandbox = new Sandbox(kind);
    await sandbox.extract(
      { chown: false },
      new Script().directory('d', { uid: 5 }).file('d/f', 'x', { uid: 5, mode: 0o4755 }),
    );
    expect([lstatSync(sandbox.path('d')).uid, lstatSync(sandbox.path('d/f')).uid]).toEqual([0, 0]);
    expect(lstatSync(sandbox.path('d/f')).mode & 0o7777).toBe(0o4755);
  });

  it('reports attributes that the file system refuses, or fails, as told', async () => {
    await using sandbox = new Sandbox(kind);
    const refused = () => new Script().symlink('l', 'x', { xattrs: { 'user.no': Buffer.from('1') } });
    await expect(sandbox.extract({}, refused())).rejects.toMatchObject({ code: 'ARCHIVE_IO', path: 'l' });
    const { warnings } = await sandbox.extract({ xattrs: 'report' }, refused());
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ errno: 'EPERM', path: 'l', detail: 'user.no' });
  });

  it('closes every descriptor, also after a failure', async () => {
    const before = readdirSync('/proc/self/fd').length;
    await using sandbox = new Sandbox(kind);
    const many = new Script();
    for (let index = 0; index < 100; index++) many.file(`d${index}/e/f`, 'x');
    await sandbox.extract({}, many);
    await expect(sandbox.extract({}, new Script().file('a/b', 'x').hardlink('l', 'no'))).rejects.toThrow();
    await (await sandbox.open()).close();
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + (kind === 'portable' ? 4 : 0));
  });

  it('refuses malformed batches', async () => {
    await using sandbox = new Sandbox(kind);
    const whole = new Script().directory('d', { xattrs: { 'user.a': Buffer.from('v') } }).batch.bytes();
    for (let length = 1; length < whole.length; length++) {
      const executor = await sandbox.open();
      await expect(executor.run(whole.slice(0, length), new Uint8Array())).rejects.toThrow();
      if (kind === 'portable' && length > 8) break;
    }
    const outside = new Script();
    const meta = { mode: 0o644, uid: 0, gid: 0, mtime: DEFAULT_MTIME, atime: DEFAULT_MTIME };
    outside.batch.file(Buffer.from('f'), meta, [], 10, NO_INDEX);
    outside.batch.data(0, 0, 10);
    outside.batch.fileEnd();
    await expect((await sandbox.open()).run(outside.batch.bytes(), new Uint8Array(9))).rejects.toThrow();
    const early = new Script();
    early.batch.file(Buffer.from('f'), meta, [], 10, NO_INDEX);
    early.batch.fileEnd();
    await expect((await sandbox.open()).run(early.batch.bytes(), new Uint8Array())).rejects.toMatchObject({
      code: 'ARCHIVE_BODY_MISMATCH',
      path: 'f',
    });
  });

  it('refuses a root that is missing, no directory, or a symbolic link', async () => {
    await using sandbox = new Sandbox(kind);
    const { root, base } = sandbox;
    symlinkSync(root, `${base}/link`);
    writeFileSync(`${base}/file`, '');
    for (const name of ['missing', 'link', 'file']) {
      const opening = openExtractExecutor(`${base}/${name}`, {
        ...DEFAULT_OPTIONS,
        portable: kind === 'portable',
      });
      await expect(opening).rejects.toMatchObject({ code: 'ARCHIVE_IO' });
    }
  });

  it('reports what it lacks the privilege for, and fills directories that it may not write', async () => {
    await using sandbox = new Sandbox(kind);
    const { stdout, stderr } = runUnprivileged(sandbox.base, kind);
    expect(stderr).toBe('');
    const warnings = JSON.parse(stdout) as { syscall: string; errno: string; path: string }[];
    const named = warnings.map(({ errno, path }) => `${errno} ${path}`);
    expect(named).toEqual(['EPERM ro', 'EPERM ro/f', 'EPERM dev', 'EPERM tolerated']);
    expect(lstatSync(sandbox.path('ro')).mode & 0o7777).toBe(0o555);
    expect(lstatSync(sandbox.path('ro/f')).mode & 0o7777).toBe(0o644);
    expect(lstatSync(sandbox.path('ro')).mtimeMs).toBe(DEFAULT_MTIME.seconds * 1000 + 125);
  });
});

/** A piece of a file too large to read whole. */
function contentAt(path: string, offset: number, length: number): string {
  const fd = openSync(path, 'r');
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, offset);
  closeSync(fd);
  return bytes.toString('latin1');
}

/** Runs an extraction in a process of user 65534 that owns the root; its standard output is the warnings. */
function runUnprivileged(base: string, kind: string): { readonly stdout: string; readonly stderr: string } {
  const owner = 65534;
  chownSync(base, owner, owner);
  chownSync(`${base}/root`, owner, owner);
  const modules = new URL('.', import.meta.url).href;
  const program = `
    const { openExtractExecutor } = await import('${modules}open.js');
    const { Script, DEFAULT_OPTIONS } = await import('${modules}executor.test-support.js');
    const executor = await openExtractExecutor('${base}/root', {
      ...DEFAULT_OPTIONS, impliedUid: ${owner}, impliedGid: ${owner},
      ownership: 'report', devices: 'report', portable: ${kind === 'portable'},
    });
    const own = { uid: ${owner}, gid: ${owner} };
    const script = new Script()
      .directory('ro', { mode: 0o555 })
      .file('ro/f', 'x')
      .node('dev', 0o020000, 1, 3, own);
    const strict = new Script().node('tolerated', 0o020000, 1, 3, { ...own, flags: 2 });
    const first = await executor.run(script.batch.bytes(), script.chunk);
    const last = await executor.run(strict.batch.bytes(), strict.chunk);
    await executor.finish();
    await executor.close();
    process.stdout.write(JSON.stringify([...first.warnings, ...last.warnings]));
  `;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', '--input-type=module', '-e', program],
    {
      uid: owner,
      gid: owner,
      encoding: 'utf8',
      timeout: 30_000,
    },
  );
  return { stdout, stderr };
}
