import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import { native } from '@x/native';
import { describeMounts } from '../describe-mounts.test-support.js';
import { TestArea } from '../test-area.test-support.js';
import { KernelMounter, type KernelMounterOptions } from './kernel-mounter.js';

const mounting = describeMounts();

let area: TestArea;

beforeEach(() => {
  area = new TestArea('/dev/shm');
});

afterEach(async () => {
  const left = mountsBelow(await readMountInfo(), area.path);
  for (const { mountPoint } of left) execFileSync('umount', ['-l', mountPoint]);
  area[Symbol.dispose]();
  expect(left).toEqual([]);
});

function mounter(over: Partial<KernelMounterOptions> = {}): KernelMounter {
  return new KernelMounter({ mountInterface: 'auto', mountOptions: [], plainUppers: false, ...over });
}

/** Directories of layers, each with a file that is called as the layer is. */
function layers(home: string, names: readonly string[]): string[] {
  for (const name of [...names, 'upper', 'work', 'merged']) mkdirSync(join(home, name), { recursive: true });
  for (const name of names) writeFileSync(join(home, name, name.slice(0, 100)), name);
  return [...names];
}

const request = (home: string, lowers: readonly string[]) => ({
  home,
  target: join(home, 'merged'),
  lowers,
  upper: 'upper' as string | undefined,
  work: 'work' as string | undefined,
  label: undefined,
});

mounting.each(['fsopen', 'mount'] as const)('the kernel, by %s', (mountInterface) => {
  it('stacks layers under a writable one', async () => {
    const home = area.directory('home');
    const mounts = mounter({ mountInterface });
    await mounts.mount(request(home, layers(home, ['b', 'a'])));
    expect(readdirSync(join(home, 'merged'))).toEqual(['a', 'b']);
    writeFileSync(join(home, 'merged/new'), 'x');
    expect(readFileSync(join(home, 'upper/new'), 'utf8')).toBe('x');
    await mounts.unmount(join(home, 'merged'));
    expect(readdirSync(join(home, 'merged'))).toEqual([]);
  });

  it('shows a read-only view without an upper layer', async () => {
    const home = area.directory('home');
    const mounts = mounter({ mountInterface });
    const readOnly = { ...request(home, layers(home, ['b', 'a'])), upper: undefined, work: undefined };
    await mounts.mount(readOnly);
    expect(() => writeFileSync(join(home, 'merged/new'), 'x')).toThrow('EROFS');
    await mounts.unmount(join(home, 'merged'));
  });

  it.each([
    ['a colon', 'a:b'],
    ['a comma', 'a,upperdir=b'],
    ['a backslash', 'a\\b\\'],
    ['blanks and quotes', 'a "b" \n c'],
    ['letters that are not ASCII', 'äöü-日本'],
    ['more than 255 bytes', `${'x'.repeat(200)}/${'y'.repeat(200)}`],
  ])('takes a home with %s', async (_what, name) => {
    const home = area.directory(name);
    const mounts = mounter({ mountInterface });
    await mounts.mount(request(home, layers(home, ['b', 'a'])));
    expect(readdirSync(join(home, 'merged'))).toEqual(['a', 'b']);
    writeFileSync(join(home, 'merged/new'), 'x');
    expect(existsSync(join(home, 'upper/new'))).toBe(true);
    await mounts.unmount(join(home, 'merged'));
  });

  it('says what the kernel says, and leaves nothing', async () => {
    const home = area.directory('home');
    layers(home, ['b', 'a']);
    const before = readdirSync('/proc/self/fd').length;
    await expect(mounter({ mountInterface }).mount(request(home, ['b', 'lost', 'a']))).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      errno: 'ENOENT',
      path: join(home, 'merged'),
    });
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    expect(mountsBelow(await readMountInfo(), home)).toEqual([]);
  });

  it('refuses the same layer twice, as the kernel does', async () => {
    const home = area.directory('home');
    layers(home, ['b']);
    await expect(mounter({ mountInterface }).mount(request(home, ['b', 'b']))).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      errno: 'ELOOP',
    });
  });

  it('passes options of the user on, flags as flags', async () => {
    const home = area.directory('home');
    const mounts = mounter({ mountInterface, mountOptions: ['nodev', 'noexec', 'volatile'] });
    await mounts.mount(request(home, layers(home, ['b', 'a'])));
    const [entry] = mountsBelow(await readMountInfo(), home);
    expect(entry?.options.split(',')).toEqual(expect.arrayContaining(['nodev', 'noexec']));
    // Newer kernels call it fsync=volatile.
    expect(entry?.superOptions).toMatch(/,(?:fsync=)?volatile(?:,|$)/);
    expect(entry?.source).toBe('overlay');
    await mounts.unmount(join(home, 'merged'));
    // The kernel refuses the second volatile mount of a work directory unless its mark goes.
    await mounts.mount(request(home, ['b', 'a']));
    await mounts.unmount(join(home, 'merged'));
  });

  it('switches index off, whatever the default that an administrator may change', async () => {
    const home = area.directory('home');
    const names = layers(home, ['b', 'a']);
    // The kernel refuses exports over NFS without index, which is how it can be seen here: it shows no option at its default.
    const mounts = mounter({ mountInterface, mountOptions: ['nfs_export=on'] });
    await mounts.mount(request(home, names));
    await mounts.unmount(join(home, 'merged'));
    mounts.adapt({ index: true, userXattr: false, fileSystem: 'tmpfs' });
    await expect(mounts.mount(request(home, names))).rejects.toMatchObject({ errno: 'EINVAL' });
    const plain = mounter({ mountInterface });
    plain.adapt({ index: true, userXattr: false, fileSystem: 'tmpfs' });
    rmSync(join(home, 'work'), { recursive: true });
    mkdirSync(join(home, 'work'));
    await plain.mount(request(home, names));
    await plain.unmount(join(home, 'merged'));
    expect(readdirSync(join(home, 'work'))).toEqual(['work']);
  });

  it('keeps its marks in user attributes where a user namespace has no others', async () => {
    const home = area.directory('home');
    const mounts = mounter({ mountInterface });
    mounts.adapt({ index: true, userXattr: true, fileSystem: 'tmpfs' });
    const names = layers(home, ['b', 'a']);
    mkdirSync(join(home, 'a/directory'));
    await mounts.mount(request(home, names));
    rmSync(join(home, 'merged/directory'), { recursive: true });
    mkdirSync(join(home, 'merged/directory'));
    await mounts.unmount(join(home, 'merged'));
    expect(
      native.available && native.calls.llistxattrSync(join(home, 'upper/directory')).map(String),
    ).toContain('user.overlay.opaque');
  });

  it('stops writing to a view and lets it go on', async () => {
    const home = area.directory('home');
    const mounts = mounter({ mountInterface });
    const target = join(home, 'merged');
    await mounts.mount(request(home, layers(home, ['b', 'a'])));
    const writing = openSync(join(target, 'new'), 'w');
    await expect(mounts.setReadOnly(target, true)).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    closeSync(writing);
    await mounts.setReadOnly(target, true);
    expect(() => writeFileSync(join(target, 'new'), 'x')).toThrow('EROFS');
    await mounts.setReadOnly(target, false);
    writeFileSync(join(target, 'new'), 'x');
    await mounts.unmount(target);
  });

  it('does not unmount under somebody who works there, unless it is to', async () => {
    const home = area.directory('home');
    const mounts = mounter({ mountInterface });
    const target = join(home, 'merged');
    await mounts.mount(request(home, layers(home, ['b', 'a'])));
    const working = openSync(join(target, 'a'), 'r');
    await expect(mounts.unmountIdle(target)).rejects.toMatchObject({ code: 'DRIVER_BUSY', path: target });
    await mounts.unmount(target);
    closeSync(working);
    await mounts.unmountIdle(target);
  });
});

mounting('the interface', () => {
  it('is fsconfig(2) where the kernel has it, and mount(2) when told so', async () => {
    const home = area.directory('home');
    layers(home, ['b', 'a']);
    const spelling = async (mountInterface: 'auto' | 'mount'): Promise<string> => {
      const mounts = mounter({ mountInterface });
      await mounts.mount(request(home, ['b', 'a']));
      const [entry] = mountsBelow(await readMountInfo(), home);
      await mounts.unmount(join(home, 'merged'));
      return entry?.superOptions ?? '';
    };
    expect(await spelling('auto')).toContain(`lowerdir+=${home}/b,lowerdir+=${home}/a`);
    expect(await spelling('mount')).toContain(`lowerdir=${home}/b:${home}/a`);
  });

  it('decides how many layers there can be', () => {
    expect(mounter({ mountInterface: 'fsopen' }).maxLayers).toBe(500);
    expect(mounter({ mountInterface: 'mount' }).maxLayers).toBe(129);
  });
});

describe('mount options', () => {
  it.each(['bind', 'remount', 'rshared', 'sync'])('%s is not for one plain mount', (option) => {
    expect(() => mounter({ mountOptions: [option] })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', option: 'mountOptions' }),
    );
  });
});
