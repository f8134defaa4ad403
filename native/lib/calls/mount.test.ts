import { closeSync, mkdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, expect, it } from '@jest/globals';
import {
  describeAddon,
  failureOf,
  openDescriptors,
  privileged,
  rejectionOf,
  runUnprivileged,
  useDirectory,
} from '../addon.test-support.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_CMD_RECONFIGURE,
  MNT_DETACH,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_BIND,
  MS_NOSUID,
  OPEN_TREE_CLONE,
  UMOUNT_NOFOLLOW,
} from '../constants.js';
import { native } from '../loader.js';

const asRoot = privileged ? it : it.skip;
const withContexts = privileged && native.available && native.features.fsopen ? it : it.skip;

/** The options column of `/proc/self/mountinfo` for a mount point: its own flags and those of its file system. */
function mountOptions(target: string): string | undefined {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((candidate) => candidate.split(' ')[4] === target);
  return line === undefined ? undefined : `${line.split(' ')[5]} ${line.split(' - ')[1]}`;
}

describeAddon('mounting', (calls) => {
  const mounted: string[] = [];
  // Before the directory's own clean-up: hooks run in the order of their definition.
  afterEach(() => {
    for (const path of mounted.splice(0).reverse()) {
      if (mountOptions(path) !== undefined) calls.umount2Sync(path, MNT_DETACH);
      rmdirSync(path);
    }
  });
  const directory = useDirectory();

  /** A mount point that the test's end unmounts. */
  function mountPoint(name = 'mnt'): string {
    const path = directory.at(name);
    mkdirSync(path);
    mounted.push(path);
    return path;
  }

  asRoot('mounts with flags and data, and unmounts', async () => {
    const path = mountPoint();
    calls.mountSync('source', path, 'tmpfs', MS_NOSUID, 'size=64k,mode=0711');
    expect(mountOptions(path)).toMatch(/nosuid.* tmpfs source .*size=64k,mode=711/);
    await calls.umount2(path, UMOUNT_NOFOLLOW);
    expect(mountOptions(path)).toBeUndefined();
    expect(failureOf(() => calls.umount2Sync(path))).toMatchObject({
      code: 'EINVAL',
      syscall: 'umount2',
      path,
    });
  });

  asRoot('says which type, source and target failed', async () => {
    const path = mountPoint();
    const failure = await rejectionOf(calls.mount('what', path, 'no-such-fs'));
    expect(failure).toMatchObject({ code: 'ENODEV', errno: -19, syscall: 'mount', path: 'what', dest: path });
  });

  asRoot('binds', () => {
    const path = mountPoint();
    mkdirSync(directory.at('data'));
    writeFileSync(directory.at('data/file'), 'bound');
    calls.mountSync(directory.at('data'), path, undefined, MS_BIND);
    expect(readFileSync(`${path}/file`, 'utf8')).toBe('bound');
  });

  asRoot('takes relative paths from another directory, leaving the process where it is', async () => {
    const path = mountPoint('mnt');
    for (const name of ['lower-a', 'lower-b', 'upper', 'work']) mkdirSync(directory.at(name));
    writeFileSync(directory.at('lower-a/file'), 'from a');
    // Not process.cwd(), which node remembers.
    const before = readlinkSync('/proc/self/cwd');
    await calls.mountAt(
      directory.at('.'),
      'overlay',
      'mnt',
      'overlay',
      0,
      'lowerdir=lower-a:lower-b,upperdir=upper,workdir=work',
    );
    expect(readlinkSync('/proc/self/cwd')).toBe(before);
    expect(readFileSync(`${path}/file`, 'utf8')).toBe('from a');
    calls.umount2Sync(path);
    calls.mountAtSync(directory.at('.'), 'overlay', 'mnt', 'overlay', 0, 'lowerdir=lower-b:lower-a');
    expect(readFileSync(`${path}/file`, 'utf8')).toBe('from a');
    expect(readlinkSync('/proc/self/cwd')).toBe(before);
  });

  asRoot('from another directory reports what failed there', () => {
    const missing = directory.at('missing');
    expect(failureOf(() => calls.mountAtSync(missing, 'x', 'mnt', 'tmpfs'))).toMatchObject({
      code: 'ENOENT',
      syscall: 'chdir',
      path: missing,
    });
    expect(failureOf(() => calls.mountAtSync('/', 'x', 'no-such-directory', 'tmpfs'))).toMatchObject({
      code: 'ENOENT',
      syscall: 'mount',
      dest: 'no-such-directory',
    });
  });

  withContexts('by context: options, creation, a mount attached by descriptor, reconfiguration', () => {
    const path = mountPoint();
    const before = openDescriptors();
    const context = calls.fsopenSync('tmpfs');
    calls.fsconfigStringSync(context, 'source', 'made-by-test');
    calls.fsconfigStringSync(context, 'size', '128k');
    calls.fsconfigCommandSync(context, FSCONFIG_CMD_CREATE);
    const mount = calls.fsmountSync(context, 0, MOUNT_ATTR_NOEXEC);
    closeSync(context);
    expect(mountOptions(path)).toBeUndefined();
    calls.moveMountSync(mount, '', AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
    expect(mountOptions(path)).toMatch(/noexec.* tmpfs made-by-test .*size=128k/);
    closeSync(mount);

    const picked = calls.fspickSync(AT_FDCWD, path);
    calls.fsconfigFlagSync(picked, 'ro');
    calls.fsconfigCommandSync(picked, FSCONFIG_CMD_RECONFIGURE);
    closeSync(picked);
    expect(mountOptions(path)).toMatch(/ tmpfs made-by-test ro/);
    expect(openDescriptors()).toBe(before);
  });

  withContexts('by context puts what the kernel logged into the error', () => {
    const context = calls.fsopenSync('overlay');
    const failure = failureOf(() => calls.fsconfigStringSync(context, 'no-such-option', 'x'));
    expect(failure).toMatchObject({ code: 'EINVAL', syscall: 'fsconfig' });
    expect(failure.detail).toMatch(/unknown parameter 'no-such-option'/i);
    expect(failure.message).toContain(failure.detail ?? 'no detail');
    closeSync(context);
    expect(failureOf(() => calls.fsopenSync('no-such-fs'))).toMatchObject({
      code: 'ENODEV',
      path: 'no-such-fs',
    });
  });

  withContexts('by context takes directories as descriptors or paths', async () => {
    const path = mountPoint();
    for (const name of ['lower', 'upper', 'work']) mkdirSync(directory.at(name));
    writeFileSync(directory.at('lower/file'), 'below');
    const context = await calls.fsopen('overlay');
    calls.fsconfigStringSync(context, 'lowerdir', directory.at('lower'));
    await calls.fsconfigString(context, 'upperdir', directory.at('upper'));
    await calls.fsconfigString(context, 'workdir', directory.at('work'));
    await calls.fsconfigCommand(context, FSCONFIG_CMD_CREATE);
    const mount = await calls.fsmount(context);
    closeSync(context);
    await calls.moveMount(mount, '', AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
    closeSync(mount);
    expect(readFileSync(`${path}/file`, 'utf8')).toBe('below');
  });

  withContexts('clones a tree and changes the attributes of the clone only', () => {
    const [path, clone] = [mountPoint('mnt'), mountPoint('clone')];
    calls.mountSync('source', path, 'tmpfs');
    const tree = calls.openTreeSync(AT_FDCWD, path, OPEN_TREE_CLONE);
    calls.mountSetattrSync(tree, '', AT_EMPTY_PATH, { set: MOUNT_ATTR_RDONLY });
    calls.moveMountSync(tree, '', AT_FDCWD, clone, MOVE_MOUNT_F_EMPTY_PATH);
    closeSync(tree);
    expect(mountOptions(clone)).toMatch(/^ro/);
    expect(mountOptions(path)).toMatch(/^rw/);
    expect(
      failureOf(() => calls.mountSetattrSync(AT_FDCWD, directory.at('.'), 0, { set: MOUNT_ATTR_RDONLY })),
    ).toMatchObject({
      code: 'EINVAL',
      syscall: 'mount_setattr',
    });
  });

  it('is refused to an unprivileged process', () => {
    for (const body of [
      `calls.mountSync('x', '/tmp', 'tmpfs')`,
      `calls.mountAtSync('/', 'x', 'tmp', 'tmpfs')`,
      `calls.umount2Sync('/proc')`,
      `calls.fsopenSync('tmpfs')`,
    ]) {
      expect(runUnprivileged(body)).toMatchObject({ code: 'EPERM' });
    }
  });

  withContexts('mounts by a context in one call, and attaches nothing when a setting is refused', () => {
    const path = mountPoint();
    const descriptors = openDescriptors();
    calls.mountByContextSync('tmpfs', 'text\0size\x0064k\0text\0mode\x000711\0', MOUNT_ATTR_NOEXEC, path);
    expect(mountOptions(path)).toMatch(/noexec.* tmpfs .*size=64k,mode=711/);
    calls.umount2Sync(path, 0);
    for (const [settings, code] of [
      ['text\0nonsense\x00yes\0', 'EINVAL'],
      ['directory\0size\0/no/such/place\0', 'ENOENT'],
      ['what\0size\0', 'EINVAL'],
      ['text\0size', 'EINVAL'],
    ] as const) {
      const failure = failureOf(() => calls.mountByContextSync('tmpfs', settings, 0, path));
      expect(failure.code).toBe(code);
      expect(mountOptions(path)).toBeUndefined();
    }
    expect(failureOf(() => calls.mountByContextSync('tmpfs', '', 0, directory.at('absent'))).syscall).toBe(
      'move_mount',
    );
    expect(openDescriptors()).toBe(descriptors);
  });
});
