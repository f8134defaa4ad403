import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runProgram } from '@x/layer-store/driver-kit';
import { loadNative } from '@x/native';
import { readSuperblock } from './block-device-io.js';
import { HostFileSystems, listsFileSystem } from './host-file-systems.js';
import { tailOfLog } from './kernel-log.js';
import { afterMkfs, growInvocation, kernelVersion, mkfsInvocations } from './mkfs.js';
import { mountArguments } from './mount-arguments.js';
import { limitNospaceRetries, nospaceRetriesFile } from './nospace-retries.js';
import { parseSuperblock, SUPERBLOCK_BYTES } from './superblock.js';

const MIB = 1024 ** 2;
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'thin-fs-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

describe('mkfs', () => {
  it('of ext4 neither discards nor leaves tables for later, and retries without lazy_journal_init', () => {
    expect(mkfsInvocations('ext4', '/dev/dm-3', ['-O', '^has_journal'], '6.1.0')).toEqual([
      {
        program: 'mkfs.ext4',
        args: ['-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0', '-O', '^has_journal', '/dev/dm-3'],
      },
      {
        program: 'mkfs.ext4',
        args: ['-E', 'nodiscard,lazy_itable_init=0', '-O', '^has_journal', '/dev/dm-3'],
      },
    ]);
    expect(afterMkfs('ext4', '/dev/dm-3')).toEqual({
      program: 'tune2fs',
      args: ['-c', '-1', '-i', '0', '/dev/dm-3'],
    });
  });

  it('of xfs leaves out what kernels before 3.16 cannot read', () => {
    const args = (release: string) => mkfsInvocations('xfs', '/dev/dm-3', ['-f'], release)[0]?.args;
    expect(args('3.15.9')).toEqual(['-m', 'crc=0,finobt=0', '-f', '/dev/dm-3']);
    expect(args('2.6.32')).toEqual(['-m', 'crc=0,finobt=0', '-f', '/dev/dm-3']);
    expect(args('3.16.0-4-amd64')).toEqual(['-f', '/dev/dm-3']);
    expect(args('unknown')).toEqual(['-f', '/dev/dm-3']);
    expect(afterMkfs('xfs', '/dev/dm-3')).toBeUndefined();
  });

  it('growing takes the device for ext4 and the mount point for xfs', () => {
    expect(growInvocation('ext4', '/dev/dm-3', '/mnt')).toEqual({
      program: 'resize2fs',
      args: ['/dev/dm-3'],
    });
    expect(growInvocation('xfs', '/dev/dm-3', '/mnt')).toEqual({ program: 'xfs_growfs', args: ['/mnt'] });
  });

  it('reads kernel releases', () => {
    expect(kernelVersion('6.18.3-generic')).toEqual([6, 18]);
    expect(kernelVersion('x')).toBeUndefined();
  });
});

describe('mount options', () => {
  it('flags are not data, xfs has nouuid once, a label is quoted', () => {
    expect(mountArguments({ type: 'xfs', mountOptions: ['noatime', 'nouuid', 'logbsize=256k'] })).toEqual({
      type: 'xfs',
      flags: 1024,
      data: 'nouuid,logbsize=256k',
    });
    expect(
      mountArguments({ type: 'ext4', mountOptions: [], mountLabel: 'system_u:object_r:x:s0:c1,c2' }),
    ).toEqual({ type: 'ext4', flags: 0, data: 'context="system_u:object_r:x:s0:c1,c2"' });
    expect(
      mountArguments({ type: 'ext4', mountOptions: ['nodiscard,data=ordered'], mountLabel: '' }),
    ).toEqual({
      type: 'ext4',
      flags: 0,
      data: 'nodiscard,data=ordered',
    });
  });

  it('a read-only mount replays no journal', () => {
    expect(mountArguments({ type: 'xfs', mountOptions: ['rw'], readOnly: true })).toEqual({
      type: 'xfs',
      flags: 1,
      data: 'nouuid,norecovery',
    });
    expect(mountArguments({ type: 'ext4', mountOptions: [], readOnly: true })).toMatchObject({
      flags: 1,
      data: 'noload',
    });
  });
});

describe('the tail of the kernel log', () => {
  it('is whole lines without level, as many as fit', () => {
    expect(tailOfLog('<6>[1.0] a\n<3>[2.0] XFS (dm-1): bad\n')).toBe('[1.0] a\n[2.0] XFS (dm-1): bad');
    const long = Array.from({ length: 50 }, (_, index) => `<4>[${index}] ${'x'.repeat(60)}`).join('\n');
    const tail = tailOfLog(long);
    expect(tail.length).toBeLessThanOrEqual(256);
    expect(tail.split('\n')).toHaveLength(3);
    expect(tailOfLog(`<1>${'y'.repeat(400)}`)).toBe('y'.repeat(256));
    expect(tailOfLog('')).toBe('');
  });
});

describe('xfs retries without space', () => {
  it('are a file in sysfs, named after the dm node', async () => {
    expect(nospaceRetriesFile('/dev/dm-7')).toBe('/sys/fs/xfs/dm-7/error/metadata/ENOSPC/max_retries');
    const file = nospaceRetriesFile('/dev/dm-7', directory);
    await mkdir(dirname(file), { recursive: true });
    await expect(limitNospaceRetries('/dev/dm-7', '3', directory)).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      errno: 'ENOENT',
      option: 'dm.xfs_nospace_max_retries',
    });
    await writeFile(file, '-1');
    await limitNospaceRetries('/dev/dm-7', '3', directory);
    expect(await readFile(file, 'utf8')).toMatch(/^3/);
  });
});

describe('recognising file systems', () => {
  const fileSystems = new HostFileSystems();

  async function image(name: string, size: number): Promise<string> {
    const path = join(directory, name);
    await using file = await open(path, 'w');
    await file.truncate(size);
    return path;
  }

  async function blkid(path: string, tag: string): Promise<string> {
    const { stdout } = await runProgram('blkid', ['-p', '-s', tag, '-o', 'value', path]);
    return stdout.toString().trim();
  }

  it.each([
    ['ext4', ['-b', '4096', '-O', '64bit']],
    ['ext4', ['-b', '1024', '-O', '^64bit']],
  ] as const)('%s as mkfs makes it with %j', async (type, args) => {
    const path = await image('ext4', 20 * MIB);
    await fileSystems.make(path, type, args);
    expect(await fileSystems.probe(path)).toBe(type);
    expect(await fileSystems.uuid(path)).toBe(await blkid(path, 'UUID'));
    expect(await fileSystems.size(path)).toBe(20 * MIB);
    const { stdout } = await runProgram('tune2fs', ['-l', path]);
    expect(stdout.toString()).toMatch(/Maximum mount count: +-1\nLast checked.*\nCheck interval: +0 /);
    await rm(path);
  });

  it('xfs as mkfs makes it', async () => {
    const path = await image('xfs', 320 * MIB);
    await fileSystems.make(path, 'xfs', []);
    expect(await fileSystems.probe(path)).toBe('xfs');
    expect(await fileSystems.uuid(path)).toBe(await blkid(path, 'UUID'));
    expect(await fileSystems.size(path)).toBe(320 * MIB);
    await rm(path);
  });

  it('btrfs by its magic (ProbeFsType)', () => {
    const bytes = Buffer.alloc(SUPERBLOCK_BYTES);
    bytes.write('_BHRfS_M', 0x10040, 'latin1');
    expect(parseSuperblock(bytes)).toMatchObject({ type: 'btrfs' });
  });

  it('refuses what is too short or nothing', async () => {
    expect(parseSuperblock(Buffer.alloc(SUPERBLOCK_BYTES - 1))).toBeUndefined();
    const path = await image('empty', MIB);
    await expect(readSuperblock(path)).rejects.toMatchObject({ code: 'DRIVER_FAILED', path });
    await expect(fileSystems.probe(await image('short', 10))).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
    });
  });

  it('a mkfs that fails says what it was asked and why', async () => {
    const path = await image('tiny', 4096);
    await expect(fileSystems.make(path, 'ext4', [])).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      message: expect.stringContaining('lazy_journal_init=0'),
    });
  });

  (loadNative().available ? it : it.skip)(
    'the size of what is no block device is refused (addon)',
    async () => {
      await expect(fileSystems.deviceSize(await image('file', 10))).rejects.toMatchObject({
        code: 'DRIVER_FAILED',
        message: expect.stringContaining('no block device'),
      });
    },
  );

  it('/proc/filesystems is read by its last column', () => {
    expect(listsFileSystem('nodev\tproc\n\text4\n\txfs\n', 'xfs')).toBe(true);
    expect(listsFileSystem('nodev\txfsx\n\text4\n', 'xfs')).toBe(false);
  });
});
