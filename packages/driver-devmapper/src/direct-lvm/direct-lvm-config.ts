/** An automatic set-up over LVM (spec/drivers.md 2.19): each field is one `dm.*` option. Percentages are whole. */
export interface DirectLvmOptions {
  /** `dm.directlvm_device`: block device that becomes the volume group. */
  readonly device: string;
  /** `dm.thinp_percent`: share of the volume group for data. Given together with the next one, or not at all; default 95. */
  readonly thinpPercent?: number;
  /** `dm.thinp_metapercent`: share for metadata; default 1. */
  readonly thinpMetaPercent?: number;
  /** `dm.thinp_autoextend_percent`: how much LVM grows a full pool by; default 20. */
  readonly autoExtendPercent?: number;
  /** `dm.thinp_autoextend_threshold`: how full the pool must be for that; default 80. */
  readonly autoExtendThreshold?: number;
  /** `dm.metadata_size`: `--metadatasize` of pvcreate, such as `128k`; absent: LVM's own. */
  readonly metadataSize?: string;
}

/**
 * The configuration as Docker stores it in `setup-config.json`: 0 stands for a percentage that was not given, so that the file
 * says what was asked for and not what became of it.
 */
export interface DirectLvmConfig {
  readonly device: string;
  readonly thinpPercent: number;
  readonly thinpMetaPercent: number;
  readonly autoExtendPercent: number;
  readonly autoExtendThreshold: number;
  /** Empty: not given. */
  readonly metadataSize: string;
}
