/** The device mapper counts in sectors of 512 bytes, whatever the disk's own are. */
export const SECTOR_SIZE = 512;
