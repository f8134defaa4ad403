import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { unmountBelow } from '@x/layer-store/driver-kit';
import { native } from '@x/native';
import { AufsKernelModel, type AufsKernelModelOptions } from '../kernel-model/aufs-kernel-model.js';
import type { AufsBranch } from '../mount/branch.js';
import type { AufsWarning } from '../warning.js';
import { UnionMounter, type UnionRequest } from './union-mounter.js';
import { xinoFor } from './xino.js';

let base: string;
let kernel: AufsKernelModel;
let mounter: UnionMounter;
let warnings: AufsWarning[];

function use(options: AufsKernelModelOptions = {}, maxOptions = 64): void {
  kernel = new AufsKernelModel(options);
  mounter = mounterOn(kernel, maxOptions);
}

function mounterOn(on: AufsKernelModel, maxOptions = 64, xino = 'xino'): UnionMounter {
  return new UnionMounter(on, {
    home: base,
    xino: join(base, xino),
    maxOptions,
    mountOptions: [],
    onWarning: (warning) => warnings.push(warning),
  });
}

/** A union of so many branches, made on disk; each holds a file of its name. */
function request(count: number, name = 'union'): UnionRequest {
  const mountPoint = join(base, 'mnt', name);
  mkdirSync(mountPoint, { recursive: true });
  const branches = Array.from({ length: count }, (_, index): AufsBranch => {
    const path = join(base, 'diff', index === 0 ? name : `branch-${index}`);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `file-${index}`), '');
    return { path, permission: index === 0 ? 'rw' : 'ro+wh' };
  });
  return { mountPoint, branches, label: undefined };
}

const mountPoints = async (): Promise<string[]> =>
  (await kernel.mounted()).map(({ mountPoint }) => mountPoint);
const xinoFiles = (): string[] => readdirSync(base).filter((name) => name.startsWith('xino-'));
const callsOf = (kind: string): string[] => kernel.calls.filter((call) => call.startsWith(`${kind} `));
const shownIn = ({ mountPoint }: UnionRequest): string[] => readdirSync(mountPoint).sort();

beforeEach(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'aufs-union-')));
  warnings = [];
  use();
  await mounter.supportsDirperm1();
  kernel.calls.length = 0;
});

afterEach(async () => {
  for (const mountPoint of await mountPoints()) {
    kernel.release(mountPoint);
    await kernel.umount(mountPoint);
  }
  if (native.available) await unmountBelow(base);
  rmSync(base, { recursive: true, force: true });
});

describe('mounting', () => {
  it('takes one call when everything fits, more when not, and every branch arrives', async () => {
    await mounter.mount(request(3));
    expect(kernel.calls).toEqual([`mount ${join(base, 'mnt/union')}`]);
    expect(shownIn(request(3))).toEqual(['file-0', 'file-1', 'file-2']);
    const large = request(30, 'large');
    await mounterOn(kernel, 10).mount(large);
    expect(callsOf('remount')).toHaveLength(3);
    const union = (await kernel.mounted()).find(({ mountPoint }) => mountPoint === large.mountPoint);
    expect(union && (await kernel.branches(union))).toEqual(large.branches);
    expect(xinoFiles()).toEqual([]);
  });

  it('what is mounted there is kept', async () => {
    await mounter.mount(request(3));
    kernel.calls.length = 0;
    await mounter.mount(request(3));
    expect(kernel.calls).toEqual([]);
  });

  it.each([
    ['', true],
    [', also where the kernel does not show which it has', false],
  ])('a union that a dead process left unfinished gets its missing branches%s', async (_where, shown) => {
    const union = request(30);
    const dying = mounterOn(kernel, 10);
    await dying.supportsDirperm1();
    kernel.failNext('remount', 'EIO');
    // A process that dies does not clean up.
    const umount = kernel.umount.bind(kernel);
    kernel.umount = () => Promise.reject(new Error('dead'));
    await expect(dying.mount(union)).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
    kernel.umount = umount;
    expect(shownIn(union)).toHaveLength(7);
    if (!shown) kernel.branches = () => Promise.resolve(undefined);
    await mounter.mount(union);
    expect(shownIn(union)).toHaveLength(30);
    expect(await mountPoints()).toEqual([union.mountPoint]);
  });

  it('a union of other branches is replaced', async () => {
    const union = request(3);
    const other = { ...union, branches: [...request(2, 'x').branches] };
    await mounter.mount(other);
    await mounter.mount(union);
    const [mounted] = await kernel.mounted();
    expect(mounted && (await kernel.branches(mounted))).toEqual(union.branches);
    expect(kernel.violations).toEqual([]);
  });

  it.each(['EINVAL', 'EBUSY', 'EEXIST'])('%s of the first call is tried again', async (errno) => {
    kernel.failNext('mount', errno, errno);
    await mounter.mount(request(3));
    expect(shownIn(request(3))).toHaveLength(3);
    expect(callsOf('mount')).toHaveLength(3);
  });

  it.each(['EINVAL', 'EBUSY'])('%s of an append is tried again by itself', async (errno) => {
    kernel.failNext('remount', errno);
    await mounterOn(kernel, 10).mount(request(20));
    expect(shownIn(request(20))).toHaveLength(20);
    expect(callsOf('mount').filter((call) => call.endsWith('mnt/union'))).toHaveLength(1);
  });

  it('does not try for ever, and leaves neither a mount nor a xino file', async () => {
    kernel.failNext('mount', ...Array.from({ length: 5 }, () => 'EINVAL'));
    await expect(mounter.mount(request(3))).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      errno: 'EINVAL',
      syscall: 'mount',
      path: join(base, 'mnt/union'),
    });
    expect(callsOf('mount')).toHaveLength(5);
    expect(await mountPoints()).toEqual([]);
    expect(xinoFiles()).toEqual([]);
    await mounter.mount(request(3));
    expect(shownIn(request(3))).toHaveLength(3);
  });

  it('a failure that time does not heal is reported at once', async () => {
    kernel.failNext('mount', 'EACCES');
    await expect(mounter.mount(request(3))).rejects.toMatchObject({ errno: 'EACCES' });
    expect(callsOf('mount')).toHaveLength(1);
    expect(xinoFiles()).toEqual([]);
  });

  it('an append that fails takes the union with it', async () => {
    kernel.failNext('remount', 'ENOSPC');
    await expect(mounterOn(kernel, 10).mount(request(20))).rejects.toMatchObject({ errno: 'ENOSPC' });
    expect(await mountPoints()).toEqual([]);
    expect(shownIn(request(20))).toEqual([]);
  });

  it('a xino file that a dead process left is not in the way', async () => {
    const union = request(2);
    const model = new AufsKernelModel();
    model.failNext('mount', 'EIO');
    const xino = xinoFor(join(base, 'xino'), union.mountPoint);
    const data = Buffer.from(`xino=${xino},br:${union.branches[0]?.path}=rw`);
    await expect(model.mount(union.mountPoint, data)).rejects.toMatchObject({ code: 'EIO' });
    expect(xinoFiles()).toHaveLength(1);
    await expect(model.mount(union.mountPoint, data)).rejects.toMatchObject({ code: 'EEXIST' });
    await mounter.mount(union);
    expect(callsOf('mount').filter((call) => call.endsWith('mnt/union'))).toHaveLength(1);
    expect(shownIn(union)).toHaveLength(2);
  });

  it('never has two mount calls under way at once, however many unions are asked for', async () => {
    const unions = Array.from({ length: 8 }, (_, index) => request(2, `union-${index}`));
    // Also of mounters that keep their xino files elsewhere, and so do not meet at a lock.
    const mounters = [
      mounter,
      mounterOn(kernel),
      mounterOn(kernel, 64, 'xino-b'),
      mounterOn(kernel, 64, 'xino-c'),
    ];
    await Promise.all(unions.map((union, index) => (mounters[index % 4] ?? mounter).mount(union)));
    expect(kernel.violations).toEqual([]);
    expect(await mountPoints()).toHaveLength(8);
  });

  it('the model tells when there are two at once', async () => {
    const [one, two] = [request(2, 'one'), request(2, 'two')];
    const data = (union: UnionRequest): Buffer => Buffer.from(`br:${union.branches[0]?.path}=rw`);
    const both = await Promise.allSettled([
      kernel.mount(one.mountPoint, data(one)),
      kernel.mount(two.mountPoint, data(two)),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(kernel.violations).toMatchObject([{ kind: 'overlapping-calls' }]);
  });

  it('a branch that another union writes to is refused before any call', async () => {
    const union = request(3);
    await mounter.mount(union);
    kernel.calls.length = 0;
    const second = { ...union, mountPoint: request(1, 'second').mountPoint };
    await expect(mounter.mount(second)).rejects.toMatchObject({
      code: 'DRIVER_BUSY',
      path: union.mountPoint,
    });
    expect(kernel.calls).toEqual([]);
  });

  it('each union has a xino file of its own', async () => {
    await mounter.mount(request(2, 'one'));
    await mounter.mount(request(2, 'two'));
    expect(kernel.violations).toEqual([]);
  });

  it('a union that came out other than asked for is refused: the kernel has the last word', async () => {
    // Calls that succeed and do nothing, as the kernel's do with what it has cut off.
    kernel.remount = () => Promise.resolve();
    await expect(mounterOn(kernel, 10).mount(request(20))).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      expected: '20',
      actual: '7',
    });
    expect(await mountPoints()).toEqual([]);
    expect(xinoFiles()).toEqual([]);
  });
});

describe('dirperm1', () => {
  it.each([true, false])('is found out once: %s', async (dirperm1) => {
    use({ dirperm1 });
    expect(await mounter.supportsDirperm1()).toBe(dirperm1);
    const calls = kernel.calls.length;
    expect(await mounter.supportsDirperm1()).toBe(dirperm1);
    expect(kernel.calls).toHaveLength(calls);
    await mounter.mount(request(2));
    expect(shownIn(request(2))).toHaveLength(2);
    expect(readdirSync(base).filter((name) => name.startsWith('.scratch'))).toEqual([]);
    expect(xinoFiles()).toEqual([]);
  });

  it('is not taken for missing when a race makes a mount fail', async () => {
    use();
    kernel.failNext('mount', 'EINVAL', 'EINVAL');
    expect(await mounter.supportsDirperm1()).toBe(true);
  });

  it('is asked for again when nothing could be mounted at all', async () => {
    use();
    kernel.failNext('mount', ...Array.from({ length: 6 }, () => 'EINVAL'));
    expect(await mounter.supportsDirperm1()).toBe(false);
    expect(await mounter.supportsDirperm1()).toBe(true);
  });
});

describe('unmounting', () => {
  it('waits for a mount that is busy for a moment', async () => {
    const union = request(2);
    await mounter.mount(union);
    kernel.hold(union.mountPoint, 4);
    await mounter.unmount(union.mountPoint);
    expect(await mountPoints()).toEqual([]);
    expect(callsOf('umount')).toHaveLength(5);
  });

  it('does not wait for ever, and a later attempt succeeds', async () => {
    const union = request(2);
    await mounter.mount(union);
    kernel.hold(union.mountPoint);
    await expect(mounter.unmount(union.mountPoint)).rejects.toMatchObject({
      code: 'DRIVER_BUSY',
      errno: 'EBUSY',
      path: union.mountPoint,
    });
    expect(callsOf('umount')).toHaveLength(5);
    kernel.release(union.mountPoint);
    await mounter.unmount(union.mountPoint);
    expect(await mountPoints()).toEqual([]);
  });

  it('is done when nothing is mounted', async () => {
    await mounter.unmount(request(2).mountPoint);
    await mounter.unmount(join(base, 'nowhere'));
    expect(kernel.calls).toEqual([]);
  });

  it('another failure is reported as it is', async () => {
    const union = request(2);
    await mounter.mount(union);
    kernel.failNext('umount', 'EPERM');
    await expect(mounter.unmount(union.mountPoint)).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      errno: 'EPERM',
    });
    await mounter.unmount(union.mountPoint);
  });

  it('flushes pseudo links first, again while auplink loses its race', async () => {
    use({ auplink: true });
    const union = request(2);
    await mounter.mount(union);
    kernel.failNext('flush', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL');
    kernel.calls.length = 0;
    await mounter.unmount(union.mountPoint);
    expect(kernel.calls.map((call) => call.split(' ')[0])).toEqual([...Array(6).fill('auplink'), 'umount']);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['loses it again and again', Array(6).fill('EINVAL'), 6],
    ['fails', ['exit status 1'], 1],
  ])('goes on, with a warning, when auplink %s', async (_what, failures, attempts) => {
    use({ auplink: true });
    const union = request(2);
    await mounter.mount(union);
    kernel.failNext('flush', ...failures);
    await mounter.unmount(union.mountPoint);
    expect(callsOf('auplink').filter((call) => call.endsWith('mnt/union'))).toHaveLength(attempts);
    expect(warnings).toMatchObject([{ kind: 'pseudo-links', path: union.mountPoint }]);
    expect(await mountPoints()).toEqual([]);
  });

  it('leaves the mount point as it was, empty', async () => {
    const union = request(2);
    await mounter.mount(union);
    await mounter.unmount(union.mountPoint);
    expect(shownIn(union)).toEqual([]);
    expect(existsSync(union.mountPoint)).toBe(true);
  });
});
