import { describe, expect, it } from '@jest/globals';
import { checkDevmapperOptions } from './check-options.js';
import { DEVMAPPER_OPTION_NAMES, parseDevmapperOptions } from './parse-options.js';
import { resolveDevmapperOptions } from './resolve-options.js';

const GIB = 1024 ** 3;
const NEW_KERNEL = { major: 4, minor: 47, patch: 0 };
const OLD_KERNEL = { major: 4, minor: 26, patch: 0 };

const parse = (text: Readonly<Record<string, string>>) => parseDevmapperOptions(Object.entries(text));
const invalid = (option: string) => expect.objectContaining({ code: 'OPTION_INVALID', option });

describe('dm.* options', () => {
  it.each([
    ['dm.basesize', '20G', { baseSize: 20 * GIB }],
    ['dm.loopdatasize', '300M', { loopDataSize: 300 * 1024 ** 2 }],
    ['dm.loopmetadatasize', '64m', { loopMetadataSize: 64 * 1024 ** 2 }],
    ['dm.fs', 'xfs', { fileSystem: 'xfs' }],
    ['dm.fs', 'ext4', { fileSystem: 'ext4' }],
    ['dm.mkfsarg', '-O ^has_journal', { mkfsArguments: ['-O ^has_journal'] }],
    ['dm.mkfsarg', '["-O", "^has_journal"]', { mkfsArguments: ['-O', '^has_journal'] }],
    ['dm.mountopt', 'nodiscard', { mountOptions: ['nodiscard'] }],
    ['dm.datadev', '/dev/sdb1', { dataDevice: '/dev/sdb1' }],
    ['dm.metadatadev', '/dev/sdc1', { metadataDevice: '/dev/sdc1' }],
    ['dm.thinpooldev', '/dev/mapper/vg-pool', { thinPoolDevice: 'vg-pool' }],
    ['dm.thinpooldev', 'vg-pool', { thinPoolDevice: 'vg-pool' }],
    ['dm.blocksize', '512K', { blockSize: 524288 }],
    ['dm.blkdiscard', 'false', { blkDiscard: false }],
    ['dm.override_udev_sync_check', 'true', { overrideUdevSyncCheck: true }],
    ['dm.use_deferred_removal', '0', { deferredRemoval: false }],
    ['dm.use_deferred_deletion', 'F', { deferredDeletion: false }],
    ['dm.min_free_space', '25%', { minFreeSpace: 25 }],
    ['dm.min_free_space', '0%', { minFreeSpace: 0 }],
    ['dm.xfs_nospace_max_retries', '18446744073709551615', { xfsNospaceMaxRetries: '18446744073709551615' }],
    ['dm.directlvm_device', '/dev/xvdf', { directLvm: { device: '/dev/xvdf' } }],
    ['dm.directlvm_device_force', 'true', { directLvmForce: true }],
    ['dm.libdm_log_level', '7', { logLevel: 7 }],
    ['dm.name_prefix', 'container', { namePrefix: 'container' }],
    ['dm.pool_error_if_no_space', 'true', { poolErrorIfNoSpace: true }],
  ])('%s=%s', (option, value, expected) => {
    expect(parse({ [option]: value })).toEqual(expected);
  });

  it.each([
    ['dm.thinp_percent', { thinpPercent: 90 }],
    ['dm.thinp_metapercent', { thinpMetaPercent: 90 }],
  ])('%s, with or without its sign', (option, expected) => {
    const other = option === 'dm.thinp_percent' ? 'dm.thinp_metapercent' : 'dm.thinp_percent';
    for (const value of ['90', '90%']) {
      expect(parse({ 'dm.directlvm_device': '/dev/xvdf', [option]: value, [other]: '2' })).toMatchObject({
        directLvm: { device: '/dev/xvdf', ...expected },
      });
    }
  });

  it.each([
    ['dm.thinp_autoextend_percent', '100%', { autoExtendPercent: 100 }],
    ['dm.thinp_autoextend_threshold', '70', { autoExtendThreshold: 70 }],
    ['dm.metadata_size', '128k', { metadataSize: '128k' }],
    ['dm.metaDataSize', '128k', { metadataSize: '128k' }],
  ])('%s=%s belongs to direct-lvm', (option, value, expected) => {
    expect(parse({ 'dm.directlvm_device': '/dev/xvdf', [option]: value })).toEqual({
      directLvm: { device: '/dev/xvdf', ...expected },
    });
  });

  it('have names in any case, with or without the prefix', () => {
    expect(parse({ 'DM.BaseSize': '1G', FS: 'xfs' })).toEqual({ baseSize: GIB, fileSystem: 'xfs' });
  });

  it('of mkfs and mount add up', () => {
    expect(
      parseDevmapperOptions([
        ['dm.mkfsarg', '-m'],
        ['dm.mkfsarg', 'crc=0'],
        ['dm.mountopt', '["noatime","nodiscard"]'],
        ['dm.mountopt', 'debug'],
      ]),
    ).toEqual({ mkfsArguments: ['-m', 'crc=0'], mountOptions: ['noatime', 'nodiscard', 'debug'] });
  });

  it('that nobody knows are refused by name', () => {
    for (const key of ['dm.bassize', 'overlay2.size', 'constructor', 'dm.']) {
      expect(() => parse({ [key]: '1' })).toThrow(
        expect.objectContaining({ code: 'OPTION_UNKNOWN', option: key }),
      );
    }
  });

  it.each([
    ['dm.basesize', 'big'],
    ['dm.basesize', '0'],
    ['dm.loopdatasize', '-1G'],
    ['dm.loopmetadatasize', ''],
    ['dm.fs', 'btrfs'],
    ['dm.mkfsarg', ''],
    ['dm.mkfsarg', '["-O", 7]'],
    ['dm.mkfsarg', '[oops'],
    ['dm.mountopt', ''],
    ['dm.datadev', 'sdb1'],
    ['dm.metadatadev', ''],
    ['dm.thinpooldev', ''],
    ['dm.thinpooldev', '/dev/vg/pool'],
    ['dm.thinpooldev', 'x'.repeat(128)],
    ['dm.blocksize', '32k'],
    ['dm.blocksize', '100k'],
    ['dm.blocksize', '2G'],
    ['dm.blkdiscard', 'yes'],
    ['dm.override_udev_sync_check', ''],
    ['dm.use_deferred_removal', 'maybe'],
    ['dm.use_deferred_deletion', '2'],
    ['dm.min_free_space', '10'],
    ['dm.min_free_space', '100%'],
    ['dm.min_free_space', '-1%'],
    ['dm.min_free_space', '1.5%'],
    ['dm.xfs_nospace_max_retries', '-1'],
    ['dm.xfs_nospace_max_retries', '18446744073709551616'],
    ['dm.directlvm_device_force', 'no way'],
    ['dm.directlvm_device', 'xvdf'],
    ['dm.thinp_percent', '100'],
    ['dm.thinp_metapercent', '100%'],
    ['dm.thinp_autoextend_percent', '101'],
    ['dm.thinp_autoextend_threshold', '10%%'],
    ['dm.metadata_size', 'much'],
    ['dm.libdm_log_level', '1'],
    ['dm.libdm_log_level', '8'],
    ['dm.libdm_log_level', '2.5'],
    ['dm.name_prefix', 'a/b'],
    ['dm.name_prefix', 'x'.repeat(25)],
    ['dm.pool_error_if_no_space', '-'],
  ])('%s=%s is refused', (option, value) => {
    expect(() => parse({ [option]: value })).toThrow(invalid(option));
  });

  it('are all tested here', () => {
    expect(DEVMAPPER_OPTION_NAMES).toHaveLength(27);
  });
});

describe('options that exclude each other', () => {
  const lvm = { device: '/dev/xvdf' };

  it('a pool that exists, one over LVM, one on given disks', () => {
    expect(() => checkDevmapperOptions({ thinPoolDevice: 'p', directLvm: lvm })).toThrow(
      invalid('dm.directlvm_device'),
    );
    expect(() => checkDevmapperOptions({ thinPoolDevice: 'p', dataDevice: '/dev/a' })).toThrow(
      invalid('dm.datadev'),
    );
    expect(() => checkDevmapperOptions({ directLvm: lvm, metadataDevice: '/dev/a' })).toThrow(
      invalid('dm.metadatadev'),
    );
    expect(() => checkDevmapperOptions({ dataDevice: '/dev/a', metadataDevice: '/dev/a' })).toThrow(
      invalid('dm.metadatadev'),
    );
  });

  it('a pool over LVM has blocks of 512 KiB', () => {
    expect(() => checkDevmapperOptions({ directLvm: lvm, blockSize: 65536 })).toThrow(
      invalid('dm.blocksize'),
    );
    const fitting = { directLvm: lvm, blockSize: 524_288 };
    expect(checkDevmapperOptions(fitting)).toBe(fitting);
  });

  it('direct-lvm needs a device, both shares or none, and no more than there is', () => {
    expect(() => parse({ 'dm.thinp_percent': '90' })).toThrow(invalid('dm.directlvm_device'));
    expect(() => checkDevmapperOptions({ directLvm: { ...lvm, thinpPercent: 90 } })).toThrow(
      invalid('dm.thinp_metapercent'),
    );
    expect(() => checkDevmapperOptions({ directLvm: { ...lvm, thinpMetaPercent: 1 } })).toThrow(
      invalid('dm.thinp_percent'),
    );
    expect(() =>
      checkDevmapperOptions({ directLvm: { ...lvm, thinpPercent: 99, thinpMetaPercent: 2 } }),
    ).toThrow(invalid('dm.thinp_percent'));
    const whole = { directLvm: { ...lvm, thinpPercent: 99, thinpMetaPercent: 1 } };
    expect(checkDevmapperOptions(whole)).toBe(whole);
  });

  it('unknown and ill-typed fields are refused', () => {
    const given = (options: unknown) => () => checkDevmapperOptions(options as object);
    expect(given({ basesize: 1 })).toThrow(expect.objectContaining({ code: 'OPTION_UNKNOWN' }));
    expect(given({ baseSize: '1G' })).toThrow(invalid('baseSize'));
    expect(given({ mkfsArguments: 'x' })).toThrow(invalid('dm.mkfsarg'));
    expect(given({ mountOptions: [1] })).toThrow(invalid('dm.mountopt'));
    expect(given({ blkDiscard: 'true' })).toThrow(invalid('blkDiscard'));
    expect(given({ directLvm: { ...lvm, percent: 1 } })).toThrow(
      expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
    );
  });
});

describe('defaults', () => {
  it('are those of Docker', () => {
    expect(resolveDevmapperOptions({}, NEW_KERNEL)).toEqual({
      baseSize: 10 * GIB,
      userBaseSize: false,
      loopDataSize: undefined,
      loopMetadataSize: undefined,
      fileSystem: undefined,
      mkfsArguments: [],
      mountOptions: [],
      dataDevice: undefined,
      metadataDevice: undefined,
      thinPoolDevice: undefined,
      blockSectors: undefined,
      blkDiscard: true,
      overrideUdevSyncCheck: false,
      deferredRemoval: true,
      deferredDeletion: true,
      minFreeSpace: 10,
      xfsNospaceMaxRetries: undefined,
      directLvm: undefined,
      directLvmForce: false,
      logLevel: 2,
      namePrefix: 'docker',
      poolErrorIfNoSpace: false,
    });
  });

  it('discard only towards loop files, unless told', () => {
    const discards = (options: object) => resolveDevmapperOptions(options, NEW_KERNEL).blkDiscard;
    expect(discards({ metadataDevice: '/dev/b' })).toBe(true);
    expect(discards({ dataDevice: '/dev/b' })).toBe(false);
    expect(discards({ thinPoolDevice: 'p' })).toBe(false);
    expect(discards({ directLvm: { device: '/dev/b' } })).toBe(false);
    expect(discards({ thinPoolDevice: 'p', blkDiscard: true })).toBe(true);
    expect(discards({ blkDiscard: false })).toBe(false);
  });

  it('a base size that was given is told from the default, a block size is in sectors', () => {
    expect(resolveDevmapperOptions({ baseSize: 10 * GIB, blockSize: 65536 }, NEW_KERNEL)).toMatchObject({
      userBaseSize: true,
      blockSectors: 128,
    });
  });

  it('defer where the kernel can, and refuse what cannot be', () => {
    expect(resolveDevmapperOptions({}, OLD_KERNEL)).toMatchObject({
      deferredRemoval: false,
      deferredDeletion: false,
    });
    expect(resolveDevmapperOptions({}, { major: 4, minor: 27, patch: 0 })).toMatchObject({
      deferredRemoval: true,
    });
    expect(resolveDevmapperOptions({}, { major: 5, minor: 0, patch: 0 })).toMatchObject({
      deferredRemoval: true,
    });
    expect(resolveDevmapperOptions({ deferredRemoval: false }, NEW_KERNEL)).toMatchObject({
      deferredRemoval: false,
      deferredDeletion: false,
    });
    expect(() => resolveDevmapperOptions({ deferredRemoval: true }, OLD_KERNEL)).toThrow(
      expect.objectContaining({ code: 'DRIVER_NOT_SUPPORTED', option: 'dm.use_deferred_removal' }),
    );
    for (const kernel of [OLD_KERNEL, NEW_KERNEL]) {
      expect(() =>
        resolveDevmapperOptions({ deferredRemoval: false, deferredDeletion: true }, kernel),
      ).toThrow(invalid('dm.use_deferred_deletion'));
    }
  });

  it('of direct-lvm are zeros, as Docker stores them', () => {
    expect(resolveDevmapperOptions({ directLvm: { device: '/dev/b' } }, NEW_KERNEL).directLvm).toEqual({
      device: '/dev/b',
      thinpPercent: 0,
      thinpMetaPercent: 0,
      autoExtendPercent: 0,
      autoExtendThreshold: 0,
      metadataSize: '',
    });
  });
});
