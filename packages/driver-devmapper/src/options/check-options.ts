import {
  assertBoolean,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertPath,
  assertString,
  invalidOption,
} from '@x/archive';
import { SECTOR_SIZE } from '../device-mapper/sector.js';
import { checkDirectLvmOptions } from '../direct-lvm/check-direct-lvm.js';
import { isBlockSize } from '../pool/create-pool.js';
import type { DevmapperOptions } from './options.js';
import { WHERE } from './text-values.js';

/** A dm name has 127 bytes: the prefix, device and inode numbers, and a layer id of 64 and more. */
const LONGEST_PREFIX = 24;
/** What the set-up over LVM makes its pool with (spec/drivers.md 2.19). Bytes. */
const DIRECT_LVM_BLOCK_SIZE = 512 * 1024;
const MAX_UINT64 = (1n << 64n) - 1n;

type Check = (option: string, value: unknown) => void;

const size: Check = (option, value) => assertInteger(WHERE, option, value, 1);
const flag: Check = (option, value) => assertBoolean(WHERE, option, value);
const path: Check = (option, value) => {
  assertPath(WHERE, option, value);
  if (!value.startsWith('/')) invalidOption(WHERE, option, 'the absolute path of a block device', value);
};
const texts: Check = (option, value) => {
  if (!Array.isArray(value)) invalidOption(WHERE, option, 'an array of strings', value);
  for (const item of value) assertString(WHERE, option, item);
};

/** What each option may be, under the name it has in {@link DevmapperOptions}. */
const CHECKS: { readonly [Key in keyof Required<DevmapperOptions>]: Check } = {
  baseSize: size,
  loopDataSize: size,
  loopMetadataSize: size,
  fileSystem: (option, value) => assertOneOf(WHERE, option, value, ['ext4', 'xfs']),
  mkfsArguments: texts,
  mountOptions: texts,
  dataDevice: path,
  metadataDevice: path,
  thinPoolDevice: (option, value) => {
    assertString(WHERE, option, value);
    const isName = /^[^/\0]+$/.test(value) && Buffer.byteLength(value) <= 127;
    if (!isName) invalidOption(WHERE, option, 'a device-mapper name, or /dev/mapper/NAME', value);
  },
  blockSize: (option, value) => {
    assertInteger(WHERE, option, value, 1);
    if (!isBlockSize(value / SECTOR_SIZE)) {
      invalidOption(WHERE, option, 'a multiple of 64k between 64k and 1g', value);
    }
  },
  blkDiscard: flag,
  overrideUdevSyncCheck: flag,
  deferredRemoval: flag,
  deferredDeletion: flag,
  minFreeSpace: (option, value) => assertInteger(WHERE, option, value, 0, 99),
  xfsNospaceMaxRetries: (option, value) => {
    assertString(WHERE, option, value);
    const fits = /^\d{1,20}$/.test(value) && BigInt(value) <= MAX_UINT64;
    if (!fits) invalidOption(WHERE, option, 'a whole number below 2^64', value);
  },
  directLvm: (_option, value) => checkDirectLvmOptions(value),
  directLvmForce: flag,
  logLevel: (option, value) => assertInteger(WHERE, option, value, 2, 7),
  namePrefix: (option, value) => {
    assertString(WHERE, option, value);
    const fits = /^[A-Za-z0-9_.-]+$/.test(value) && value.length <= LONGEST_PREFIX;
    if (!fits) invalidOption(WHERE, option, `1 to ${LONGEST_PREFIX} letters, digits, or one of _.-`, value);
  },
  poolErrorIfNoSpace: flag,
};

/** The options that have another name as text. */
const TEXT_NAMES: { readonly [Key in keyof DevmapperOptions]: string } = {
  fileSystem: 'dm.fs',
  dataDevice: 'dm.datadev',
  metadataDevice: 'dm.metadatadev',
  thinPoolDevice: 'dm.thinpooldev',
  blockSize: 'dm.blocksize',
  mkfsArguments: 'dm.mkfsarg',
  mountOptions: 'dm.mountopt',
  namePrefix: 'dm.name_prefix',
  xfsNospaceMaxRetries: 'dm.xfs_nospace_max_retries',
};

/**
 * Checks the driver's options, each by itself and those that exclude each other (spec/drivers.md 2.4). What only the host can
 * say is {@link ./resolve-options.ts}'s. @throws OPTION_UNKNOWN, OPTION_INVALID
 */
export function checkDevmapperOptions(options: DevmapperOptions): DevmapperOptions {
  assertKnownKeys(WHERE, options, Object.keys(CHECKS));
  for (const [key, check] of Object.entries(CHECKS)) {
    const name = key as keyof DevmapperOptions;
    if (options[name] !== undefined) check(TEXT_NAMES[name] ?? key, options[name]);
  }
  checkCombinations(options);
  return options;
}

function checkCombinations(options: DevmapperOptions): void {
  const { directLvm, thinPoolDevice, dataDevice, metadataDevice, blockSize } = options;
  if (thinPoolDevice !== undefined && directLvm !== undefined) {
    invalidOption(WHERE, 'dm.directlvm_device', 'absent when dm.thinpooldev is given', directLvm.device);
  }
  const own = dataDevice ?? metadataDevice;
  if (own !== undefined && (thinPoolDevice !== undefined || directLvm !== undefined)) {
    invalidOption(
      WHERE,
      dataDevice === undefined ? 'dm.metadatadev' : 'dm.datadev',
      'absent when dm.thinpooldev or dm.directlvm_device is given',
      own,
    );
  }
  if (directLvm !== undefined && blockSize !== undefined && blockSize !== DIRECT_LVM_BLOCK_SIZE) {
    invalidOption(WHERE, 'dm.blocksize', '512k, or absent, when dm.directlvm_device is given', blockSize);
  }
  if (dataDevice !== undefined && dataDevice === metadataDevice) {
    invalidOption(WHERE, 'dm.metadatadev', 'another device than dm.datadev', metadataDevice);
  }
}
