/** Modes on disk under which a file's owner can still copy and export it without CAP_DAC_OVERRIDE; pure. */

const OWNER_READS = 0o400;
const OWNER_ALL = 0o700;

/**
 * The mode a file or directory gets where its record holds the true one: read for the owner of a file, everything for the
 * owner of a directory, all other bits as they are. Without them a mode like 0000 would lock out the store itself: path
 * resolution(7) gives an owner no more than the owner's bits.
 */
export function workableMode(kind: 'file' | 'directory', mode: number): number {
  return mode | (kind === 'file' ? OWNER_READS : OWNER_ALL);
}
