/** Block devices by descriptor. ENOTTY: not a block device. Ranges are multiples of 512 bytes (EINVAL). */
export interface BlockDeviceCalls {
  /** Bytes. */
  blkGetSize64Sync(fd: number): number;
  /** Tells the device that the range is not needed; what it reads as afterwards is the device's affair. EOPNOTSUPP where it cannot. */
  blkDiscardSync(fd: number, offset: number | bigint, length: number | bigint): void;
  /** Makes the range read as zeros. */
  blkZerooutSync(fd: number, offset: number | bigint, length: number | bigint): void;
  /** Writes back the device's page cache and drops it. */
  blkFlsBufSync(fd: number): void;
}
