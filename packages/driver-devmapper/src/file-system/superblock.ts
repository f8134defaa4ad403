/**
 * What a file system says of itself in its first blocks: enough to do without blkid (spec/drivers.md 2.11, 2.14). Offsets are
 * those of the ext4 and xfs disk formats.
 */

/** Bytes to read from the start of a device. */
export const SUPERBLOCK_BYTES = 65608;

/** A file system that was recognised. */
export interface Superblock {
  readonly type: 'ext4' | 'xfs' | 'btrfs';
  /** In the usual notation, lower case. */
  readonly uuid: string;
  /** Bytes the file system takes of its device; undefined for btrfs. */
  readonly size: number | undefined;
}

const EXT4 = {
  base: 0x400,
  magicAt: 0x438,
  blocksLow: 0x4,
  logBlockSize: 0x18,
  incompatible: 0x60,
  uuid: 0x68,
  blocksHigh: 0x150,
} as const;
const EXT4_MAGIC = 0xef53;
const EXT4_64BIT = 0x80;
const XFS = { blockSize: 4, blocks: 8, uuid: 32 } as const;
const BTRFS = { magicAt: 0x10040, uuid: 0x10020 } as const;

/** Recognises btrfs, ext4 and xfs by their magic; undefined: none of them, or too few bytes. */
export function parseSuperblock(bytes: Buffer): Superblock | undefined {
  if (bytes.length < SUPERBLOCK_BYTES) return undefined;
  if (bytes.toString('latin1', BTRFS.magicAt, BTRFS.magicAt + 8) === '_BHRfS_M') {
    return { type: 'btrfs', uuid: uuidText(bytes, BTRFS.uuid), size: undefined };
  }
  if (bytes.readUInt16LE(EXT4.magicAt) === EXT4_MAGIC) {
    return { type: 'ext4', uuid: uuidText(bytes, EXT4.base + EXT4.uuid), size: ext4Size(bytes) };
  }
  if (bytes.toString('latin1', 0, 4) === 'XFSB') {
    const size = BigInt(bytes.readUInt32BE(XFS.blockSize)) * bytes.readBigUInt64BE(XFS.blocks);
    return { type: 'xfs', uuid: uuidText(bytes, XFS.uuid), size: Number(size) };
  }
  return undefined;
}

function ext4Size(bytes: Buffer): number {
  const at = (offset: number): number => bytes.readUInt32LE(EXT4.base + offset);
  const high = (at(EXT4.incompatible) & EXT4_64BIT) === 0 ? 0 : at(EXT4.blocksHigh);
  return (high * 2 ** 32 + at(EXT4.blocksLow)) * 1024 * 2 ** at(EXT4.logBlockSize);
}

function uuidText(bytes: Buffer, offset: number): string {
  const hex = bytes.toString('hex', offset, offset + 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
