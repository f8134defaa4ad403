import {
  closeSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, expect, it } from '@jest/globals';
import {
  describeAddon,
  failureOf,
  openDescriptors,
  privileged,
  runUnprivileged,
  useDirectory,
} from '../addon.test-support.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  MNT_DETACH,
  MOUNT_ATTR_IDMAP,
  MOVE_MOUNT_F_EMPTY_PATH,
  OPEN_TREE_CLONE,
} from '../constants.js';

const asRoot = privileged ? it : it.skip;

/** Processes whose parent is this one. */
function children(): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return (
        readFileSync(`/proc/${name}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[1] === `${process.pid}`
      );
    } catch {
      return false;
    }
  });
}

describeAddon('user namespaces', (calls) => {
  const mounted: string[] = [];
  afterEach(() => {
    for (const path of mounted.splice(0)) calls.umount2Sync(path, MNT_DETACH);
  });
  const directory = useDirectory();

  asRoot('are made of maps, leave no process, and differ from one another', async () => {
    const before = openDescriptors();
    const own = readlinkSync('/proc/self/ns/user');
    const maps = [{ inside: 0, outside: 100000, count: 65536 }] as const;
    const spaces = [
      calls.createUserNamespaceSync(maps, maps),
      // At the same time: none may wait for another's process.
      ...(await Promise.all(Array.from({ length: 8 }, () => calls.createUserNamespace(maps, maps)))),
    ];
    const names = spaces.map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
    expect(new Set([own, ...names]).size).toBe(10);
    expect(children()).toEqual([]);
    for (const fd of spaces) closeSync(fd);
    expect(openDescriptors()).toBe(before);
  });

  asRoot('shift the owners of an id-mapped mount', () => {
    const [source, target] = [directory.at('source'), directory.at('target')];
    mkdirSync(source);
    mkdirSync(target);
    writeFileSync(`${source}/file`, '');
    calls.fchownatSync(AT_FDCWD, `${source}/file`, 7, 8, 0);

    const space = calls.createUserNamespaceSync(
      [{ inside: 0, outside: 100000, count: 10 }],
      [
        { inside: 0, outside: 200000, count: 5 },
        { inside: 5, outside: 300000, count: 5 },
      ],
    );
    const tree = calls.openTreeSync(AT_FDCWD, source, OPEN_TREE_CLONE);
    calls.mountSetattrSync(tree, '', AT_EMPTY_PATH, { set: MOUNT_ATTR_IDMAP, usernsFd: space });
    calls.moveMountSync(tree, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
    mounted.push(target);
    closeSync(tree);
    closeSync(space);
    const { uid, gid } = statSync(`${target}/file`);
    expect([uid, gid]).toEqual([100007, 300003]);
  });

  asRoot('are refused with the kernel’s number when a map makes no sense', () => {
    const map = { inside: 0, outside: 0, count: 1 };
    const before = openDescriptors();
    const overlapping = failureOf(() => calls.createUserNamespaceSync([map, map], [map]));
    expect(overlapping).toMatchObject({ code: 'EINVAL', syscall: 'write' });
    expect(overlapping.path).toMatch(/^\/proc\/\d+\/uid_map$/);
    expect(failureOf(() => calls.createUserNamespaceSync([map], [])).path).toMatch(/gid_map$/);
    expect(children()).toEqual([]);
    expect(openDescriptors()).toBe(before);
    expect(failureOf(() => calls.createUserNamespaceSync([{ ...map, count: -1 }], [map])).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect(failureOf(() => calls.createUserNamespaceSync([map], map as never)).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
  });

  it('map one’s own ids, and no others, without privileges', () => {
    const own = 'const id = [process.getuid(), process.getgid()];';
    const attempt = (outside: string): unknown =>
      runUnprivileged(`${own}
        const map = (outside) => [{ inside: 0, outside, count: 1 }];
        return typeof calls.createUserNamespaceSync(map(${outside}), map(id[1]));`);
    // A machine may forbid unprivileged namespaces altogether.
    expect(['number', { code: 'EPERM', syscall: 'clone(CLONE_NEWUSER)' }]).toContainEqual(attempt('id[0]'));
    expect(attempt('id[0] + 1')).toMatchObject({ code: 'EPERM' });
  });
});
