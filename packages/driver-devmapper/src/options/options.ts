import type { DirectLvmConfig, DirectLvmOptions } from '../direct-lvm/direct-lvm-config.js';

/** File systems a thin device may carry. */
export type FileSystemType = 'ext4' | 'xfs';

/**
 * Options of the driver itself; each is one `dm.*` option (spec/drivers.md 2.4). All sizes are bytes. Nothing here is a
 * default: {@link ./resolve-options.ts} fills in what the host decides.
 */
export interface DevmapperOptions {
  /** `dm.basesize`. Given at all, it makes an existing smaller base grow and a larger one an error. */
  readonly baseSize?: number;
  /** `dm.loopdatasize`. */
  readonly loopDataSize?: number;
  /** `dm.loopmetadatasize`. */
  readonly loopMetadataSize?: number;
  /** `dm.fs`. */
  readonly fileSystem?: FileSystemType;
  /** `dm.mkfsarg`, one argument each. */
  readonly mkfsArguments?: readonly string[];
  /** `dm.mountopt`. */
  readonly mountOptions?: readonly string[];
  /** `dm.datadev`: a block device in place of the data loop file. */
  readonly dataDevice?: string;
  /** `dm.metadatadev`. */
  readonly metadataDevice?: string;
  /** `dm.thinpooldev`: dm name of a pool that somebody else manages (without `/dev/mapper/`). */
  readonly thinPoolDevice?: string;
  /** `dm.blocksize` in bytes, 64 KiB to 1 GiB in steps of 64 KiB. */
  readonly blockSize?: number;
  /** `dm.blkdiscard`. */
  readonly blkDiscard?: boolean;
  /** `dm.override_udev_sync_check`. Accepted for compatibility: nothing here depends on udev. */
  readonly overrideUdevSyncCheck?: boolean;
  /** `dm.use_deferred_removal`. */
  readonly deferredRemoval?: boolean;
  /** `dm.use_deferred_deletion`. */
  readonly deferredDeletion?: boolean;
  /** `dm.min_free_space` in percent, 0 to 99; 0 switches the gate off. */
  readonly minFreeSpace?: number;
  /** `dm.xfs_nospace_max_retries`. Kept as text: an unsigned 64-bit number that goes into sysfs as it is. */
  readonly xfsNospaceMaxRetries?: string;
  /** `dm.directlvm_device` and its companions. */
  readonly directLvm?: DirectLvmOptions;
  /** `dm.directlvm_device_force`: set up also over a file system that is there. */
  readonly directLvmForce?: boolean;
  /** `dm.libdm_log_level`, 2 to 7: how much of the device mapper's traffic `onLog` is told. */
  readonly logLevel?: number;
  /** `dm.name_prefix`: first word of device names, `docker` unless given. */
  readonly namePrefix?: string;
  /** `dm.pool_error_if_no_space`: writes to a full pool fail instead of waiting. */
  readonly poolErrorIfNoSpace?: boolean;
}

/** The options with every default decided. */
export interface ResolvedDevmapperOptions {
  readonly baseSize: number;
  /** `dm.basesize` was given. */
  readonly userBaseSize: boolean;
  /** undefined: not given, a file that is there keeps its size, a new one has {@link DEFAULT_LOOP_DATA_SIZE}. */
  readonly loopDataSize: number | undefined;
  readonly loopMetadataSize: number | undefined;
  /** undefined: xfs where the host can, else ext4. */
  readonly fileSystem: FileSystemType | undefined;
  readonly mkfsArguments: readonly string[];
  readonly mountOptions: readonly string[];
  readonly dataDevice: string | undefined;
  readonly metadataDevice: string | undefined;
  readonly thinPoolDevice: string | undefined;
  /** Sectors; undefined: not given, take the recorded value, or {@link DEFAULT_BLOCK_SECTORS}. */
  readonly blockSectors: number | undefined;
  readonly blkDiscard: boolean;
  readonly overrideUdevSyncCheck: boolean;
  readonly deferredRemoval: boolean;
  readonly deferredDeletion: boolean;
  readonly minFreeSpace: number;
  readonly xfsNospaceMaxRetries: string | undefined;
  readonly directLvm: DirectLvmConfig | undefined;
  readonly directLvmForce: boolean;
  readonly logLevel: number;
  readonly namePrefix: string;
  readonly poolErrorIfNoSpace: boolean;
}

/** Bytes of a new loop file for data: 100 GiB, sparse. */
export const DEFAULT_LOOP_DATA_SIZE: number = 100 * 1024 ** 3;

/** Bytes of a new loop file for metadata: 2 GiB, sparse. */
export const DEFAULT_LOOP_METADATA_SIZE: number = 2 * 1024 ** 3;

/** Thin block of a new pool: 64 KiB. */
export const DEFAULT_BLOCK_SECTORS = 128;
