import { assertInteger, assertKnownKeys, assertPath, assertString, invalidOption } from '@x/archive';
import type { DirectLvmConfig, DirectLvmOptions } from './direct-lvm-config.js';

const WHERE = 'devicemapper options';

/** Percentages by field: the option's name and the most it may be. */
const PERCENTAGES = {
  thinpPercent: ['dm.thinp_percent', 99],
  thinpMetaPercent: ['dm.thinp_metapercent', 99],
  autoExtendPercent: ['dm.thinp_autoextend_percent', 100],
  autoExtendThreshold: ['dm.thinp_autoextend_threshold', 100],
} as const;

/**
 * Whether a direct-lvm set-up can be meant so (spec/drivers.md 2.19): a device, both shares or neither, no more than the whole
 * volume group. @throws OPTION_UNKNOWN, OPTION_INVALID
 */
export function checkDirectLvmOptions(value: unknown): asserts value is DirectLvmOptions {
  assertKnownKeys(WHERE, value, ['device', 'metadataSize', ...Object.keys(PERCENTAGES)]);
  const options = value as DirectLvmOptions;
  if (!options.device) {
    invalidOption(WHERE, 'dm.directlvm_device', 'given when other direct-lvm options are', options.device);
  }
  assertPath(WHERE, 'dm.directlvm_device', options.device);
  if (!options.device.startsWith('/')) {
    invalidOption(WHERE, 'dm.directlvm_device', 'the absolute path of a block device', options.device);
  }
  for (const [field, [name, most]] of Object.entries(PERCENTAGES)) {
    const percent = options[field as keyof typeof PERCENTAGES];
    if (percent !== undefined) assertInteger(WHERE, name, percent, 0, most);
  }
  if (options.metadataSize !== undefined) assertString(WHERE, 'dm.metadata_size', options.metadataSize);
  checkShares(options);
}

function checkShares({ thinpPercent = 0, thinpMetaPercent = 0 }: DirectLvmOptions): void {
  if ((thinpPercent === 0) !== (thinpMetaPercent === 0)) {
    const missing = thinpPercent === 0 ? 'dm.thinp_percent' : 'dm.thinp_metapercent';
    invalidOption(WHERE, missing, 'given together with its counterpart for metadata or data', 0);
  }
  if (thinpPercent + thinpMetaPercent > 100) {
    invalidOption(WHERE, 'dm.thinp_percent', 'at most 100 together with dm.thinp_metapercent', thinpPercent);
  }
}

/** The configuration to store; `options` were checked. */
export function resolveDirectLvm(options: DirectLvmOptions): DirectLvmConfig {
  return {
    device: options.device,
    thinpPercent: options.thinpPercent ?? 0,
    thinpMetaPercent: options.thinpMetaPercent ?? 0,
    autoExtendPercent: options.autoExtendPercent ?? 0,
    autoExtendThreshold: options.autoExtendThreshold ?? 0,
    metadataSize: options.metadataSize ?? '',
  };
}
