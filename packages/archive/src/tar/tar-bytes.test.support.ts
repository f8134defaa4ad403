/** Builds tar bytes by hand, block by block and without the encoder under test, so that tests can also build wrong ones. */
import { Buffer } from 'node:buffer';
import { BLOCK_SIZE, CHECKSUM_LENGTH, CHECKSUM_OFFSET, tarPadding } from './layout.js';

export interface RawHeader {
  readonly name?: string;
  readonly mode?: string;
  readonly uid?: string | Buffer;
  readonly gid?: string | Buffer;
  readonly size?: number | string | Buffer;
  readonly mtime?: string | Buffer;
  readonly type?: string;
  readonly linkName?: string;
  readonly magic?: 'ustar' | 'gnu' | 'star' | 'v7';
  readonly userName?: string;
  readonly groupName?: string;
  readonly prefix?: string;
  /** Further bytes by offset, written last. */
  readonly at?: Readonly<Record<number, string | Buffer>>;
  readonly checksum?: 'unsigned' | 'signed' | 'wrong';
}

const MAGIC = { ustar: 'ustar\x0000', gnu: 'ustar  \0', star: 'ustar\x0000', v7: '' };

function put(block: Buffer, offset: number, value: string | Buffer | undefined): void {
  if (value !== undefined)
    block.set(typeof value === 'string' ? Buffer.from(value, 'latin1') : value, offset);
}

/** One header block. */
export function rawHeader(header: RawHeader): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  const { size = 0 } = header;
  put(block, 0, header.name ?? 'file');
  put(block, 100, header.mode ?? '0000644');
  put(block, 108, header.uid ?? '0000000');
  put(block, 116, header.gid ?? '0000000');
  put(block, 124, typeof size === 'number' ? size.toString(8).padStart(11, '0') : size);
  put(block, 136, header.mtime ?? '00000000000');
  put(block, 156, header.type ?? '0');
  put(block, 157, header.linkName);
  put(block, 257, MAGIC[header.magic ?? 'ustar']);
  put(block, 265, header.userName);
  put(block, 297, header.groupName);
  put(block, 345, header.prefix);
  if (header.magic === 'star') put(block, 508, 'tar\0');
  for (const [offset, value] of Object.entries(header.at ?? {})) put(block, Number(offset), value);
  return sealed(block, header.checksum ?? 'unsigned');
}

/** The block with its checksum set. */
export function sealed(block: Buffer, how: 'unsigned' | 'signed' | 'wrong' = 'unsigned'): Buffer {
  block.fill(0x20, CHECKSUM_OFFSET, CHECKSUM_OFFSET + CHECKSUM_LENGTH);
  let sum = how === 'wrong' ? 1 : 0;
  for (const byte of block) sum += how === 'signed' && byte > 0x7f ? byte - 0x100 : byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM_OFFSET, 'latin1');
  return block;
}

/** A header with its body and the padding. */
export function rawEntry(header: RawHeader, body: string | Buffer = ''): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  return Buffer.concat([rawHeader({ size: bytes.length, ...header }), padded(bytes)]);
}

/** Filled with NUL to whole blocks. */
export function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(tarPadding(bytes.length))]);
}

/** A correct pax record; characters are bytes. */
export function record(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + 1;
  while (`${length}`.length + rest !== length) length = `${length}`.length + rest;
  return `${length} ${key}=${value}\n`;
}

/** A pax local (or, with type `g`, global) header with these records. */
export function paxHeader(records: readonly (readonly [string, string])[], type = 'x'): Buffer {
  return rawEntry(
    { type, name: 'PaxHeaders.0/x' },
    records.map(([key, value]) => record(key, value)).join(''),
  );
}

/** A GNU long name (`L`) or long link (`K`) entry. */
export function gnuLong(type: 'L' | 'K', text: string): Buffer {
  return rawEntry({ type, name: '././@LongLink', magic: 'gnu' }, `${text}\0`);
}

/** A base-256 field of `length` bytes. */
export function base256(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

export const END: Buffer = Buffer.alloc(2 * BLOCK_SIZE);
