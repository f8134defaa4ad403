import { spawnSync } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadNative, type NativeCalls } from '@x/native';
import { deviceMapperReason } from '../device-mapper/device-mapper-error.js';
import { ensureImage } from './ensure-image.js';
import { KernelLoopDevices } from './kernel-loop-devices.js';

const MIB = 1024 ** 2;
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'loops-'));
});
afterAll(async () => {
  detachLeftovers();
  await rm(directory, { recursive: true });
});

/** A failed test may leave a device attached without autoclear. */
function detachLeftovers(): void {
  const { stdout } = spawnSync('losetup', ['--noheadings', '--output', 'NAME,BACK-FILE'], {
    encoding: 'utf8',
  });
  for (const line of (stdout ?? '').split('\n')) {
    const [name = '', file = ''] = line.trim().split(/\s+/);
    if (file.startsWith(`${directory}/`)) spawnSync('losetup', ['--detach', name]);
  }
}

describe('ensureImage', () => {
  it('makes a sparse file of mode 0600 in a directory of mode 0700', async () => {
    const path = join(directory, 'devicemapper', 'data');
    expect(await ensureImage(path, 300 * MIB)).toEqual({ path, outcome: 'created', size: 300 * MIB });
    const stats = await stat(path);
    expect(stats).toMatchObject({ size: 300 * MIB });
    expect(stats.mode & 0o777).toBe(0o600);
    expect(stats.blocks * 512).toBeLessThan(MIB);
    expect((await stat(join(directory, 'devicemapper'))).mode & 0o777).toBe(0o700);
  });

  it('makes a smaller file larger and keeps a larger one (IncreaseLoopBackSize, ReduceLoopBackSize)', async () => {
    const path = join(directory, 'grown');
    await writeFile(path, 'content');
    expect(await ensureImage(path, 8 * MIB)).toEqual({ path, outcome: 'grown', size: 8 * MIB });
    expect(await ensureImage(path, 8 * MIB)).toEqual({ path, outcome: 'unchanged', size: 8 * MIB });
    expect(await ensureImage(path, 7 * MIB)).toEqual({ path, outcome: 'larger-than-asked', size: 8 * MIB });
    expect((await readFile(path)).subarray(0, 7).toString()).toBe('content');
  });

  it('refuses what is no file', async () => {
    const path = join(directory, 'pipe');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    // A pipe is opened for reading and writing without a partner.
    await expect(ensureImage(path, MIB)).rejects.toMatchObject({ code: 'DRIVER_FAILED', path });
    await expect(ensureImage(directory, MIB)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

const native = loadNative();
const canAttach =
  native.available &&
  process.getuid?.() === 0 &&
  spawnSync('losetup', ['--find'], { encoding: 'utf8' }).status === 0;
const describeLoops = canAttach ? describe : describe.skip;

describeLoops('KernelLoopDevices', () => {
  const loops = new KernelLoopDevices();
  let count = 0;

  async function image(size = MIB): Promise<string> {
    count += 1;
    const path = join(directory, `image-${count}`);
    await ensureImage(path, size);
    return path;
  }

  const sysfs = (loop: string, file: string): Promise<string> =>
    readFile(join('/sys/block', loop.replace('/dev/', ''), file), 'utf8');

  it('attaches a file, with autoclear and the path of the file, and detaches with the last opener', async () => {
    const path = await image();
    const loop = await loops.attach(path);
    expect((await sysfs(loop.path, 'loop/backing_file')).trim()).toBe(path);
    expect((await sysfs(loop.path, 'loop/autoclear')).trim()).toBe('1');
    expect(Number(await sysfs(loop.path, 'size')) * 512).toBe(MIB);
    const other = await open(loop.path, 'r');
    await loop.close();
    await loop.close();
    expect(await loops.find(path)).toBe(loop.path);
    await other.close();
    expect(await loops.find(path)).toBeUndefined();
  });

  it('reads and writes the file', async () => {
    const path = await image();
    await using loop = await loops.attach(path);
    const device = await open(loop.path, 'r+');
    await device.write(Buffer.from('written'), 0, 7, 4096);
    await device.sync();
    await device.close();
    const content = await readFile(path);
    expect(content.subarray(4096, 4103).toString()).toBe('written');
  });

  it('finds the device of a file by what it is, not by its name', async () => {
    const [path, other] = [await image(), await image()];
    await using loop = await loops.attach(path);
    const link = join(directory, 'link');
    spawnSync('ln', [path, link]);
    expect(await loops.find(link)).toBe(loop.path);
    expect(await loops.find(other)).toBeUndefined();
    await expect(loops.find(join(directory, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes over a new size of the file', async () => {
    const path = await image();
    await using loop = await loops.attach(path);
    await truncate(path, 3 * MIB);
    expect(Number(await sysfs(loop.path, 'size')) * 512).toBe(MIB);
    await loops.updateCapacity(loop.path);
    expect(Number(await sysfs(loop.path, 'size')) * 512).toBe(3 * MIB);
    const refused = await loops.updateCapacity(path).catch(deviceMapperReason);
    expect(refused).toBe('LoopbackSetCapacity');
  });

  it('gets through when many attach at once (AttachLoopbackDeviceRace)', async () => {
    const paths = await Promise.all(Array.from({ length: 10 }, () => image()));
    const before = await readdir('/proc/self/fd');
    await Promise.all(
      paths.map(async (path) => {
        for (let round = 0; round < 20; round += 1) {
          await using loop = await loops.attach(path);
          expect((await sysfs(loop.path, 'loop/backing_file')).trim()).toBe(path);
        }
      }),
    );
    for (const path of paths) expect(await loops.find(path)).toBeUndefined();
    expect(await readdir('/proc/self/fd')).toHaveLength(before.length);
  });

  it('falls back on the older pair of calls', async () => {
    const path = await image();
    const old = new KernelLoopDevices(
      withCalls({ loopConfigure: () => Promise.reject(Object.assign(new Error('old'), { code: 'EINVAL' })) }),
    );
    await using loop = await old.attach(path);
    expect((await sysfs(loop.path, 'loop/autoclear')).trim()).toBe('1');
    expect((await sysfs(loop.path, 'loop/backing_file')).trim()).toBe(path);
  });

  it('leaves nothing attached when the second of them fails', async () => {
    const path = await image();
    const failing = new KernelLoopDevices(
      withCalls({
        loopConfigure: () => Promise.reject(Object.assign(new Error('old'), { code: 'ENOTTY' })),
        loopSetStatus64: () => Promise.reject(Object.assign(new Error('no'), { code: 'EIO' })),
      }),
    );
    await expect(failing.attach(path)).rejects.toMatchObject({ code: 'DRIVER_PREREQUISITES', errno: 'EIO' });
    expect(await loops.find(path)).toBeUndefined();
  });

  it('says what to do when there is no free device', async () => {
    const path = await image();
    const none = new KernelLoopDevices(
      withCalls({
        loopCtlGetFree: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
      }),
    );
    const error: unknown = await none.attach(path).catch((reason: unknown) => reason);
    expect(deviceMapperReason(error)).toBe('AttachLoopbackDevice');
    expect(error).toMatchObject({ errno: 'ENOSPC', message: expect.stringContaining('losetup -d') });
  });

  it('asks again when another process takes the free device first', async () => {
    const path = await image();
    const other = await loops.attach(await image());
    const answers = [Number(other.path.slice('/dev/loop'.length))];
    const raced = new KernelLoopDevices(
      withCalls({
        loopCtlGetFree: (fd) => {
          const answer = answers.shift();
          return answer === undefined ? calls().loopCtlGetFree(fd) : Promise.resolve(answer);
        },
      }),
    );
    await using loop = await raced.attach(path);
    expect(loop.path).not.toBe(other.path);
    expect(answers).toEqual([]);
    await other.close();
  });
});

function calls(): NativeCalls {
  if (!native.available) throw new Error(native.reason);
  return native.calls;
}

/** The addon's calls with some replaced. */
function withCalls(replaced: Partial<NativeCalls>): NativeCalls {
  return new Proxy(calls(), {
    get: (target, key) => Reflect.get(key in replaced ? replaced : target, key) as unknown,
  });
}
