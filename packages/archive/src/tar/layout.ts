/**
 * Where things are in a tar header block (POSIX.1-1988 ustar, GNU and star variants; spec/layer-archive.md 3.6).
 * Offsets and lengths are bytes.
 */

/** Headers, bodies and padding all come in blocks of this many bytes. */
export const BLOCK_SIZE = 512;

export const NAME_OFFSET = 0;
export const NAME_LENGTH = 100;
export const MODE_OFFSET = 100;
export const UID_OFFSET = 108;
export const GID_OFFSET = 116;
/** Length of mode, uid, gid and both device numbers. */
export const SHORT_NUMBER_LENGTH = 8;
export const SIZE_OFFSET = 124;
export const MTIME_OFFSET = 136;
/** Length of sizes and times. */
export const LONG_NUMBER_LENGTH = 12;
export const CHECKSUM_OFFSET = 148;
export const CHECKSUM_LENGTH = 8;
export const TYPEFLAG_OFFSET = 156;
export const LINK_NAME_OFFSET = 157;
export const LINK_NAME_LENGTH = 100;
export const MAGIC_OFFSET = 257;
export const VERSION_OFFSET = 263;
export const USER_NAME_OFFSET = 265;
export const GROUP_NAME_OFFSET = 297;
/** Length of the user and the group name. */
export const OWNER_NAME_LENGTH = 32;
export const DEVICE_MAJOR_OFFSET = 329;
export const DEVICE_MINOR_OFFSET = 337;
export const PREFIX_OFFSET = 345;
export const PREFIX_LENGTH = 155;

export const STAR_PREFIX_LENGTH = 131;
export const STAR_ATIME_OFFSET = 476;
export const STAR_CTIME_OFFSET = 488;
export const STAR_TRAILER_OFFSET = 508;

export const GNU_ATIME_OFFSET = 345;
export const GNU_CTIME_OFFSET = 357;
/** Sparse pairs are two long numbers each: offset, length. */
export const GNU_SPARSE_OFFSET = 386;
export const GNU_SPARSE_PAIRS = 4;
export const GNU_EXTENDED_OFFSET = 482;
export const GNU_REAL_SIZE_OFFSET = 483;
/** An old GNU sparse extension block starts with its pairs. */
export const GNU_EXTENSION_PAIRS = 21;
export const GNU_EXTENSION_EXTENDED_OFFSET = 504;

export const TYPE_NUL = 0x00;
export const TYPE_FILE = 0x30;
export const TYPE_HARDLINK = 0x31;
export const TYPE_SYMLINK = 0x32;
export const TYPE_CHAR = 0x33;
export const TYPE_BLOCK = 0x34;
export const TYPE_DIRECTORY = 0x35;
export const TYPE_FIFO = 0x36;
export const TYPE_CONTIGUOUS = 0x37;
export const TYPE_PAX_LOCAL = 0x78;
export const TYPE_PAX_GLOBAL = 0x67;
export const TYPE_GNU_LONG_NAME = 0x4c;
export const TYPE_GNU_LONG_LINK = 0x4b;
export const TYPE_GNU_SPARSE = 0x53;

export const SLASH = 0x2f;
export const SPACE = 0x20;

/** NUL bytes (0..511) that follow a body of `size` bytes so that the next header starts on a block boundary. */
export function tarPadding(size: number): number {
  const rest = size % BLOCK_SIZE;
  return rest === 0 ? 0 : BLOCK_SIZE - rest;
}

/** What ends an archive: two blocks of NUL. Shared; do not write into it. */
export const END_OF_ARCHIVE: Uint8Array = new Uint8Array(2 * BLOCK_SIZE);
