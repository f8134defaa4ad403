import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { expect, it } from '@jest/globals';
import {
  describeAddon,
  openDescriptors,
  privileged,
  rejectionOf,
  useDirectory,
} from '../addon.test-support.js';
import type { NativeCalls } from '../types.js';

const asRoot = privileged ? it : it.skip;
const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;

/** A line per object: everything a copy has to keep. */
function describeTree(calls: NativeCalls, root: string): string[] {
  const lines: string[] = [];
  const inodes = new Map<bigint, string>();
  const visit = (path: string, name: string): void => {
    const stat = calls.fstatatSync(-100, path, 0x100);
    const first = inodes.get(stat.ino) ?? name;
    inodes.set(stat.ino, first);
    const xattrs = calls
      .llistxattrSync(path)
      .map((key) => `${key.toString()}=${calls.lgetxattrSync(path, key)?.toString('hex')}`);
    const { mode, uid, gid, size, mtimeNs, rdevMajor, rdevMinor } = stat;
    const device = `${rdevMajor}:${rdevMinor}`;
    const isDirectory = (mode & 0o170000) === 0o040000;
    const content = (mode & 0o170000) === 0o100000 && size < 1e6 ? readFileSync(path, 'latin1') : '';
    const link = (mode & 0o170000) === 0o120000 ? readlinkSync(path) : '';
    const facts = [
      name,
      mode.toString(8),
      uid,
      gid,
      isDirectory ? 0 : size,
      mtimeNs,
      device,
      first,
      link,
      content,
    ];
    lines.push([...facts, ...xattrs.sort()].join(' '));
    if (!isDirectory) return;
    for (const child of readdirSync(path).sort()) visit(`${path}/${child}`, `${name}/${child}`);
  };
  visit(root, '.');
  return lines;
}

/** user::rw-, user:1000:rw-, group::r--, mask::rw-, other::r-- as the kernel stores it. */
function acl(): Buffer {
  const entries = [
    [0x01, 6, 0xffffffff],
    [0x02, 6, 1000],
    [0x04, 4, 0xffffffff],
    [0x10, 6, 0xffffffff],
    [0x20, 4, 0xffffffff],
  ] as const;
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2, 0);
  entries.forEach(([tag, permissions, id], index) => {
    bytes.writeUInt16LE(tag, 4 + index * 8);
    bytes.writeUInt16LE(permissions, 6 + index * 8);
    bytes.writeUInt32LE(id, 8 + index * 8);
  });
  return bytes;
}

describeAddon('copyTree', (calls) => {
  const directory = useDirectory('/var/tmp');
  const shm = useDirectory('/dev/shm');

  /** A directory with one of everything. */
  function makeSource(at: { at(name: string): string } = directory): string {
    const source = at.at('source');
    mkdirSync(`${source}/d/e`, { recursive: true });
    writeFileSync(`${source}/d/file`, 'content', { mode: 0o640 });
    linkSync(`${source}/d/file`, `${source}/d/e/hard`);
    linkSync(`${source}/d/file`, `${source}/z-hard`);
    writeFileSync(`${source}/large`, Buffer.alloc(700_000, 'large '));
    symlinkSync('../no/where', `${source}/d/link`);
    calls.mknodatSync(-100, `${source}/fifo`, S_IFIFO | 0o622, 0, 0);
    calls.utimensatSync(-100, `${source}/d/link`, 1n, 1_000_000_007n, 0x100);
    calls.utimensatSync(-100, `${source}/d/file`, 5n, 999_999_999_123_456_789n, 0);
    calls.utimensatSync(-100, `${source}/d/e`, 5n, 222_000_000_003n, 0);
    calls.utimensatSync(-100, source, 5n, 333_000_000_005n, 0);
    return source;
  }

  it('keeps content, links, types, modes and nanosecond times, of the top directory too', async () => {
    const source = makeSource();
    const stats = await calls.copyTree(source, directory.at('copy'));
    expect(describeTree(calls, directory.at('copy'))).toEqual(describeTree(calls, source));
    expect(stats).toMatchObject({
      files: 2,
      directories: 3,
      links: 2,
      others: 2,
      warnings: [],
      warningsDropped: 0,
    });
    expect(lstatSync(directory.at('copy'), { bigint: true }).mtimeNs).toBe(333_000_000_005n);
    expect(lstatSync(directory.at('copy/d/file')).ino).not.toBe(lstatSync(`${source}/d/file`).ino);
  });

  it('works from one file system to another', async () => {
    const source = makeSource(shm);
    await calls.copyTree(source, directory.at('copy'));
    expect(describeTree(calls, directory.at('copy'))).toEqual(describeTree(calls, source));
  });

  asRoot('keeps owners, set-id bits, capabilities, ACLs, attributes and devices', async () => {
    const source = makeSource();
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    calls.fchownatSync(-100, `${source}/d/file`, 5, 6, 0);
    calls.lsetxattrSync(`${source}/d/file`, 'security.capability', capability);
    calls.fchmodatSync(-100, `${source}/d/file`, 0o6755, 0);
    calls.fchownatSync(-100, `${source}/d/link`, 7, 8, 0x100);
    calls.lsetxattrSync(`${source}/d/link`, 'trusted.link', 'x');
    calls.mknodatSync(-100, `${source}/null`, S_IFCHR | 0o666, 1, 3);
    calls.lsetxattrSync(`${source}/large`, 'system.posix_acl_access', acl());
    calls.lsetxattrSync(`${source}/d`, 'system.posix_acl_default', acl());
    calls.fchmodatSync(-100, `${source}/d`, 0o3770, 0);
    await calls.copyTree(source, directory.at('copy'));
    const copy = describeTree(calls, directory.at('copy'));
    expect(copy).toEqual(describeTree(calls, source));
    expect(copy.join('\n')).toContain('system.posix_acl_default=');
    expect(copy.join('\n')).toContain('security.capability=');
  });

  asRoot('leaves overlay attributes behind, but for opaqueness when asked', async () => {
    const source = makeSource();
    for (const name of [
      'trusted.overlay.opaque',
      'user.overlay.opaque',
      'trusted.overlay.origin',
      'user.own',
    ]) {
      calls.lsetxattrSync(`${source}/d`, name, 'y');
    }
    const names = (copy: string) =>
      calls
        .llistxattrSync(directory.at(`${copy}/d`))
        .map(String)
        .sort();
    await calls.copyTree(source, directory.at('plain'));
    await calls.copyTree(source, directory.at('opaque'), { copyOpaque: true });
    expect(names('plain')).toEqual(['user.own']);
    expect(names('opaque')).toEqual(['trusted.overlay.opaque', 'user.overlay.opaque', 'user.own']);
  });

  it('gives modes that the umask would mask, and touches no umask but its own', async () => {
    const source = makeSource();
    calls.fchmodatSync(-100, `${source}/large`, 0o666, 0);
    const before = process.umask();
    await calls.copyTree(source, directory.at('copy'));
    expect(lstatSync(directory.at('copy/large')).mode & 0o777).toBe(0o666);
    expect(process.umask()).toBe(before);
  });

  it('keeps holes', async () => {
    mkdirSync(directory.at('source'));
    const fd = openSync(directory.at('source/sparse'), 'w');
    writeSync(fd, 'begin', 0);
    writeSync(fd, 'middle', 300_000_000);
    ftruncateSync(fd, 1_000_000_000);
    closeSync(fd);
    await calls.copyTree(directory.at('source'), directory.at('copy'));
    const stat = lstatSync(directory.at('copy/sparse'));
    expect(stat.size).toBe(1_000_000_000);
    expect(stat.blocks * 512).toBeLessThan(1 << 20);
    execFileSync('cmp', [directory.at('source/sparse'), directory.at('copy/sparse')]);
  });

  it('links instead of copying in hardlink mode', async () => {
    const source = makeSource();
    await calls.copyTree(source, directory.at('copy'), { mode: 'hardlink' });
    expect(lstatSync(directory.at('copy/large')).ino).toBe(lstatSync(`${source}/large`).ino);
    expect(lstatSync(directory.at('copy/d')).ino).not.toBe(lstatSync(`${source}/d`).ino);
    expect(readlinkSync(directory.at('copy/d/link'))).toBe('../no/where');
  });

  it('makes sockets sockets', async () => {
    mkdirSync(directory.at('source'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(directory.at('source/socket'), resolve));
    await calls.copyTree(directory.at('source'), directory.at('copy'));
    await new Promise((resolve) => server.close(resolve));
    expect(lstatSync(directory.at('copy/socket')).isSocket()).toBe(true);
  });

  it('stops when told to, and closes everything', async () => {
    const source = makeSource();
    for (let index = 0; index < 200; index++) writeFileSync(`${source}/d/${index}`, 'x');
    const before = openDescriptors();
    const cancel = new Uint8Array([1]);
    const failure = await rejectionOf(calls.copyTree(source, directory.at('copy'), { cancel }));
    expect(failure.code).toBe('ECANCELED');
    expect(openDescriptors()).toBe(before);
  });

  it('fails with the path of what it could not make', async () => {
    const source = makeSource();
    mkdirSync(directory.at('copy/d'), { recursive: true });
    writeFileSync(directory.at('copy/d/file'), 'in the way');
    const failure = await rejectionOf(calls.copyTree(source, directory.at('copy')));
    expect([failure.code, failure.path]).toEqual(['EEXIST', `${source}/d/file`]);
    expect(readFileSync(directory.at('copy/d/file'), 'utf8')).toBe('in the way');
  });

  asRoot('fails where an attribute does not fit, even when refusals are only reported', async () => {
    const source = makeSource(shm);
    // tmpfs keeps it, ext4 has a block for all attributes of a file.
    calls.lsetxattrSync(`${source}/large`, 'trusted.big', Buffer.alloc(60_000));
    const failure = await rejectionOf(calls.copyTree(source, directory.at('strict'), { xattrs: 'report' }));
    expect(failure).toMatchObject({ syscall: 'setxattr', path: `${source}/large` });
  });
});

describeAddon('removeTree', (calls) => {
  const directory = useDirectory('/var/tmp');

  it('removes anything, follows nothing, and does not mind what is missing', async () => {
    mkdirSync(directory.at('victim'));
    writeFileSync(directory.at('victim/canary'), 'alive');
    mkdirSync(directory.at('tree/d/e'), { recursive: true });
    writeFileSync(directory.at('tree/d/e/f'), 'x');
    symlinkSync(directory.at('victim'), directory.at('tree/d/out'));
    symlinkSync(directory.at('victim'), directory.at('link'));
    await calls.removeTree(directory.at('tree/'));
    await calls.removeTree(directory.at('tree'));
    await calls.removeTree(directory.at('link'));
    await calls.removeTree(directory.at('no/such/thing'));
    expect(readdirSync(directory.at('.'))).toEqual(['victim']);
    expect(readFileSync(directory.at('victim/canary'), 'utf8')).toBe('alive');
  });

  asRoot('takes immutable and append-only flags away', async () => {
    mkdirSync(directory.at('tree/locked'), { recursive: true });
    writeFileSync(directory.at('tree/locked/fixed'), 'x');
    writeFileSync(directory.at('tree/log'), 'x');
    execFileSync('chattr', ['+i', directory.at('tree/locked/fixed')]);
    execFileSync('chattr', ['+i', directory.at('tree/locked')]);
    execFileSync('chattr', ['+a', directory.at('tree/log')]);
    await calls.removeTree(directory.at('tree'));
    expect(existsSync(directory.at('tree'))).toBe(false);
  });

  it('goes deeper than a path can name, with few descriptors', async () => {
    let at = openSync(directory.at('.'), 0x200000);
    const name = 'n'.repeat(100);
    for (let level = 0; level < 300; level++) {
      calls.mkdiratSync(at, name, 0o755);
      const next = calls.openat2Sync(at, name, { flags: 0x200000 });
      closeSync(at);
      at = next;
    }
    closeSync(at);
    const before = openDescriptors();
    await calls.removeTree(directory.at(name));
    expect(existsSync(directory.at(name))).toBe(false);
    expect(openDescriptors()).toBe(before);
  });

  asRoot('reports a mount point inside as EBUSY', async () => {
    mkdirSync(directory.at('tree/mnt'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'none', directory.at('tree/mnt')]);
    try {
      const failure = await rejectionOf(calls.removeTree(directory.at('tree')));
      expect([failure.code, failure.path]).toEqual(['EBUSY', directory.at('tree')]);
    } finally {
      execFileSync('umount', [directory.at('tree/mnt')]);
    }
  });

  it('refuses the root and dot paths', async () => {
    for (const path of ['/', '.', '..', 'x/..']) {
      expect((await rejectionOf(calls.removeTree(path))).code).toBe('EINVAL');
    }
  });
});
