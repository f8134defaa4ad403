/** What an automatic set-up over LVM is made of (spec/drivers.md 2.19). Percentages; 0: not given, the default holds. */
export interface DirectLvmConfig {
  /** Block device that becomes the volume group. */
  readonly device: string;
  /** Share of the volume group for data; default 95. */
  readonly thinpPercent: number;
  /** Share for metadata; default 1. */
  readonly thinpMetaPercent: number;
  /** How much LVM grows a full pool by; default 20. */
  readonly autoExtendPercent: number;
  /** How full the pool must be for that; default 80. */
  readonly autoExtendThreshold: number;
  /** `--metadatasize` of pvcreate; absent: LVM's own default. */
  readonly metadataSize?: string;
}
