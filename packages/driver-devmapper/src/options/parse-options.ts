import { LayerStoreError } from '@x/archive';
import type { DirectLvmOptions } from '../direct-lvm/direct-lvm-config.js';
import { checkDevmapperOptions } from './check-options.js';
import type { DevmapperOptions, FileSystemType } from './options.js';
import { booleanValue, integerValue, listValue, percentValue, sizeValue } from './text-values.js';

/** What has been read so far; the parts of direct-lvm are put together at the end. */
type Draft = { -readonly [Key in keyof DevmapperOptions]: DevmapperOptions[Key] } & {
  lvm: { -readonly [Key in keyof DirectLvmOptions]?: DirectLvmOptions[Key] };
};

/** Puts one value into the draft. */
type Reader = (draft: Draft, option: string, text: string) => void;

/** `dm.*` names without the prefix, in lower case. Ranges and combinations are {@link checkDevmapperOptions}'s. */
const READERS: Readonly<Record<string, Reader>> = {
  basesize: (draft, option, text) => {
    draft.baseSize = sizeValue(option, text);
  },
  loopdatasize: (draft, option, text) => {
    draft.loopDataSize = sizeValue(option, text);
  },
  loopmetadatasize: (draft, option, text) => {
    draft.loopMetadataSize = sizeValue(option, text);
  },
  fs: (draft, _option, text) => {
    draft.fileSystem = text as FileSystemType;
  },
  mkfsarg: (draft, option, text) => {
    draft.mkfsArguments = [...(draft.mkfsArguments ?? []), ...listValue(option, text)];
  },
  mountopt: (draft, option, text) => {
    draft.mountOptions = [...(draft.mountOptions ?? []), ...listValue(option, text)];
  },
  datadev: (draft, _option, text) => {
    draft.dataDevice = text;
  },
  metadatadev: (draft, _option, text) => {
    draft.metadataDevice = text;
  },
  thinpooldev: (draft, _option, text) => {
    draft.thinPoolDevice = text.replace(/^\/dev\/mapper\//, '');
  },
  blocksize: (draft, option, text) => {
    draft.blockSize = sizeValue(option, text);
  },
  blkdiscard: (draft, option, text) => {
    draft.blkDiscard = booleanValue(option, text);
  },
  override_udev_sync_check: (draft, option, text) => {
    draft.overrideUdevSyncCheck = booleanValue(option, text);
  },
  use_deferred_removal: (draft, option, text) => {
    draft.deferredRemoval = booleanValue(option, text);
  },
  use_deferred_deletion: (draft, option, text) => {
    draft.deferredDeletion = booleanValue(option, text);
  },
  min_free_space: (draft, option, text) => {
    draft.minFreeSpace = percentValue(option, text, 99, 'needed');
  },
  xfs_nospace_max_retries: (draft, _option, text) => {
    draft.xfsNospaceMaxRetries = text;
  },
  libdm_log_level: (draft, option, text) => {
    draft.logLevel = integerValue(option, text, 2, 7);
  },
  name_prefix: (draft, _option, text) => {
    draft.namePrefix = text;
  },
  pool_error_if_no_space: (draft, option, text) => {
    draft.poolErrorIfNoSpace = booleanValue(option, text);
  },
  directlvm_device: (draft, _option, text) => {
    draft.lvm.device = text;
  },
  directlvm_device_force: (draft, option, text) => {
    draft.directLvmForce = booleanValue(option, text);
  },
  thinp_percent: (draft, option, text) => {
    draft.lvm.thinpPercent = percentValue(option, text, 99, 'optional');
  },
  thinp_metapercent: (draft, option, text) => {
    draft.lvm.thinpMetaPercent = percentValue(option, text, 99, 'optional');
  },
  thinp_autoextend_percent: (draft, option, text) => {
    draft.lvm.autoExtendPercent = percentValue(option, text, 100, 'optional');
  },
  thinp_autoextend_threshold: (draft, option, text) => {
    draft.lvm.autoExtendThreshold = percentValue(option, text, 100, 'optional');
  },
  metadata_size: readMetadataSize,
  // containers/storage spells it metaDataSize, which its own lower-casing can never match.
  metadatasize: readMetadataSize,
};

function readMetadataSize(draft: Draft, option: string, text: string): void {
  sizeValue(option, text);
  draft.lvm.metadataSize = text;
}

/** Names of the `dm.*` options, without the prefix. */
export const DEVMAPPER_OPTION_NAMES: readonly string[] = Object.keys(READERS);

/**
 * Reads options as text: names with or without `dm.`, in any case (spec/drivers.md 2.4). `mkfsarg` and `mountopt` add up when
 * they come more than once; of every other the last counts.
 * @throws OPTION_UNKNOWN, OPTION_INVALID
 */
export function parseDevmapperOptions(pairs: Iterable<readonly [string, string]>): DevmapperOptions {
  const draft: Draft = { lvm: {} };
  for (const [key, text] of pairs) {
    const name = key.trim().toLowerCase().replace(/^dm\./, '');
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (read === undefined) throw unknownOption(key);
    read(draft, `dm.${name}`, text.trim());
  }
  const { lvm, ...options } = draft;
  if (Object.keys(lvm).length === 0) return checkDevmapperOptions(options);
  return checkDevmapperOptions({ ...options, directLvm: { ...lvm, device: lvm.device ?? '' } });
}

function unknownOption(key: string): LayerStoreError {
  return new LayerStoreError(
    'OPTION_UNKNOWN',
    `the devicemapper driver has no option ${JSON.stringify(key.slice(0, 80))}; known are ` +
      DEVMAPPER_OPTION_NAMES.map((name) => `dm.${name}`).join(', '),
    { driver: 'devicemapper', option: key.slice(0, 80) },
  );
}
