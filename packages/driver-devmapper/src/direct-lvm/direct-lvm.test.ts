import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LayerStoreError } from '@x/archive';
import type { DirectLvmConfig } from './direct-lvm-config.js';
import type { LvmHost } from './lvm-host.js';
import { prepareDirectLvm } from './prepare-direct-lvm.js';
import { configPath, decodeConfig, encodeConfig, progressPath } from './setup-files.js';
import { describeStep, planSetup, SETUP_PROGRAMS } from './setup-plan.js';
import { listsDevice, signatureOf, volumeGroupOf } from './verify-device.js';

const DEVICE = '/dev/disk/by-id/xvdf';

const CONFIG: DirectLvmConfig = {
  device: DEVICE,
  thinpPercent: 0,
  thinpMetaPercent: 0,
  autoExtendPercent: 0,
  autoExtendThreshold: 0,
  metadataSize: '',
};

describe('the plan of a set-up over LVM', () => {
  it('is the commands of Docker with its defaults', () => {
    expect(planSetup(CONFIG).map(describeStep)).toEqual([
      `pvcreate -f ${DEVICE}`,
      `vgcreate docker ${DEVICE}`,
      'lvcreate --wipesignatures y -n thinpool docker --extents 95%VG',
      'lvcreate --wipesignatures y -n thinpoolmeta docker --extents 1%VG',
      'lvconvert -y --zero n -c 512K --thinpool docker/thinpool --poolmetadata docker/thinpoolmeta',
      'write /etc/lvm/profile/docker-thinpool.profile',
      'lvchange --metadataprofile docker-thinpool docker/thinpool',
    ]);
  });

  it('takes what the options say', () => {
    const steps = planSetup({
      device: '/dev/xvdf',
      thinpPercent: 90,
      thinpMetaPercent: 2,
      autoExtendPercent: 30,
      autoExtendThreshold: 70,
      metadataSize: '128k',
    });
    expect(steps.map(describeStep)).toEqual(
      expect.arrayContaining([
        'pvcreate -f --metadatasize 128k /dev/xvdf',
        'lvcreate --wipesignatures y -n thinpool docker --extents 90%VG',
        'lvcreate --wipesignatures y -n thinpoolmeta docker --extents 2%VG',
      ]),
    );
    expect(steps).toContainEqual({
      kind: 'write',
      path: '/etc/lvm/profile/docker-thinpool.profile',
      content: 'activation{\nthin_pool_autoextend_threshold=70\nthin_pool_autoextend_percent=30\n}\n',
    });
  });
});

describe('what programs say of a device', () => {
  it('pvdisplay names the group, or none', () => {
    expect(
      volumeGroupOf('  --- Physical volume ---\n  PV Name  /dev/sdb\n  VG Name               docker\n'),
    ).toBe('docker');
    expect(
      volumeGroupOf('  "/dev/sdb" is a new physical volume\n  VG Name               \n  PV Size 1\n'),
    ).toBe(undefined);
    expect(volumeGroupOf('')).toBeUndefined();
  });

  it('blkid names what is on it', () => {
    expect(signatureOf('/dev/sdb: UUID="x" BLOCK_SIZE="512" TYPE="xfs"\n')).toBe('xfs');
    expect(signatureOf('/dev/sdb: PTTYPE="gpt"\n')).toBeUndefined();
    expect(signatureOf('')).toBeUndefined();
  });

  it('lvmdiskscan lists whole paths', () => {
    const scan = '  /dev/sdb1 [      20.00 GiB] \n  /dev/sdc  [ 1 GiB]\n  0 disks\n';
    expect(listsDevice(scan, ['/dev/sdb', '/dev/sdc'])).toBe(true);
    expect(listsDevice(scan, ['/dev/sdb'])).toBe(false);
  });
});

describe('the stored configuration', () => {
  it('is that of Docker, byte for byte', () => {
    expect(encodeConfig({ ...CONFIG, thinpPercent: 95, thinpMetaPercent: 1 })).toBe(
      `{"Device":"${DEVICE}","ThinpPercent":95,"ThinpMetaPercent":1,"AutoExtendPercent":0,"AutoExtendThreshold":0}`,
    );
    expect(encodeConfig({ ...CONFIG, metadataSize: '128k' })).toContain(',"MetaDataSize":"128k"}');
  });

  it('is read back, empty ones count as none', () => {
    const config = { ...CONFIG, autoExtendPercent: 7, metadataSize: '1m' };
    expect(decodeConfig(encodeConfig(config), 'x')).toEqual(config);
    expect(decodeConfig('{"Device":"","ThinpPercent":0}', 'x')).toBeUndefined();
    for (const text of ['', 'null', '{']) {
      expect(() => decodeConfig(text, '/x')).toThrow(
        expect.objectContaining({ code: 'DRIVER_FAILED', path: '/x' }),
      );
    }
  });
});

describe('prepareDirectLvm', () => {
  let home = '';
  let ran: string[] = [];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'lvm-'));
    ran = [];
  });
  afterEach(async () => {
    await rm(home, { recursive: true });
  });

  /** A machine whose programs only answer. */
  function host(
    answers: Readonly<Record<string, string | Error>> = {},
    missing: readonly string[] = [],
  ): LvmHost {
    return {
      blockDevice: (path) => Promise.resolve(path === DEVICE ? '/dev/xvdf' : undefined),
      find: (program) => Promise.resolve(missing.includes(program) ? undefined : `/sbin/${program}`),
      run: (program, args) => {
        ran.push([program, ...args].join(' '));
        const answer = answers[program] ?? '';
        if (typeof answer !== 'string') return Promise.reject(answer);
        return Promise.resolve({ exitCode: 0, stdout: Buffer.from(answer), stderr: Buffer.alloc(0) });
      },
      write: (path) => {
        ran.push(`write ${path}`);
        return Promise.resolve();
      },
    };
  }

  const failed = (program: string): LayerStoreError => new LayerStoreError('DRIVER_FAILED', `${program}: no`);

  it('sets up once, then only names the pool', async () => {
    const machine = host({
      lvmdiskscan: ' /dev/xvdf [1 GiB]',
      blkid: failed('blkid'),
      pvdisplay: failed('p'),
    });
    expect(await prepareDirectLvm(home, CONFIG, { force: false, host: machine })).toBe('docker-thinpool');
    expect(ran).toEqual([
      'lvmdiskscan',
      `pvdisplay ${DEVICE}`,
      `blkid ${DEVICE}`,
      ...planSetup(CONFIG).map(describeStep),
    ]);
    expect(await readdir(home)).toEqual(['setup-config.json']);
    expect(await readFile(configPath(home), 'utf8')).toBe(encodeConfig(CONFIG));
    expect((await stat(configPath(home))).mode & 0o777).toBe(0o600);
    ran = [];
    expect(await prepareDirectLvm(home, CONFIG, { force: false, host: machine })).toBe('docker-thinpool');
    expect(ran).toEqual([]);
  });

  it('does not change what was set up', async () => {
    await prepareDirectLvm(home, CONFIG, { force: true, host: host() });
    const other = { ...CONFIG, thinpPercent: 90, thinpMetaPercent: 2 };
    await expect(prepareDirectLvm(home, other, { force: true, host: host() })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      option: 'dm.directlvm_device',
    });
  });

  it('goes on where Docker stored an empty configuration', async () => {
    await writeFile(configPath(home), '{"Device":"","ThinpPercent":0}');
    expect(await prepareDirectLvm(home, CONFIG, { force: true, host: host() })).toBe('docker-thinpool');
  });

  it.each(planSetup(CONFIG).map((step) => [describeStep(step), step] as const))(
    'a death at "%s" is remembered, and nothing is run again',
    async (description, step) => {
      const dying: LvmHost = {
        ...host(),
        run: (program, args) =>
          step.kind === 'run' && description === [program, ...args].join(' ')
            ? Promise.reject(failed(program))
            : host().run(program, args),
        write: () => (step.kind === 'write' ? Promise.reject(failed('write')) : Promise.resolve()),
      };
      await expect(prepareDirectLvm(home, CONFIG, { force: true, host: dying })).rejects.toMatchObject({
        code: 'DRIVER_FAILED',
      });
      ran = [];
      await expect(prepareDirectLvm(home, CONFIG, { force: true, host: host() })).rejects.toMatchObject({
        code: 'DRIVER_FAILED',
        message: expect.stringContaining(`"${description}"`),
      });
      expect(ran).toEqual([]);
      await rm(progressPath(home));
      expect(await prepareDirectLvm(home, CONFIG, { force: true, host: host() })).toBe('docker-thinpool');
    },
  );

  it('a death between the two files is none', async () => {
    await prepareDirectLvm(home, CONFIG, { force: true, host: host() });
    await writeFile(progressPath(home), JSON.stringify({ device: DEVICE, step: 'lvchange' }));
    expect(await prepareDirectLvm(home, CONFIG, { force: true, host: host() })).toBe('docker-thinpool');
  });

  it.each(SETUP_PROGRAMS)('without %s nothing is begun', async (program) => {
    await expect(
      prepareDirectLvm(home, CONFIG, { force: true, host: host({}, [program]) }),
    ).rejects.toMatchObject({ code: 'DRIVER_PREREQUISITES', subject: program });
    expect([ran, await readdir(home)]).toEqual([[], []]);
  });

  it.each([
    ['is part of a group', { pvdisplay: ' VG Name  other\n' }, 'DRIVER_BUSY'],
    ['has a file system', { blkid: `${DEVICE}: TYPE="ext4"` }, 'DRIVER_BUSY'],
    ['is not seen by LVM', { lvmdiskscan: ' /dev/sda [1 GiB]' }, 'DRIVER_PREREQUISITES'],
  ])('a device that %s is refused before anything is changed', async (_what, answers, code) => {
    await expect(prepareDirectLvm(home, CONFIG, { force: false, host: host(answers) })).rejects.toMatchObject(
      { code, option: 'dm.directlvm_device', path: DEVICE },
    );
    expect(await readdir(home)).toEqual([]);
    expect(ran).not.toContain(`pvcreate -f ${DEVICE}`);
  });

  it('force goes over a file system, but never over a volume group', async () => {
    const onFileSystem = host({ blkid: `${DEVICE}: TYPE="ext4"` });
    expect(await prepareDirectLvm(home, CONFIG, { force: true, host: onFileSystem })).toBe('docker-thinpool');
    await rm(configPath(home));
    const inGroup = host({ pvdisplay: ' VG Name  other\n' });
    await expect(prepareDirectLvm(home, CONFIG, { force: true, host: inGroup })).rejects.toMatchObject({
      code: 'DRIVER_BUSY',
    });
  });

  it('what is no block device is refused', async () => {
    const config = { ...CONFIG, device: '/etc/passwd' };
    await expect(prepareDirectLvm(home, config, { force: true, host: host() })).rejects.toMatchObject({
      code: 'DRIVER_PREREQUISITES',
      path: '/etc/passwd',
    });
  });
});
