/** Tar blocks written by hand, so that archives no decent writer makes can be made, and independently of the codec under test. */

export interface RawHeader {
  readonly name: string | Uint8Array;
  /** One character; '\0' for the old regular file. */
  readonly type?: string;
  readonly size?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly linkName?: string;
  readonly magic?: 'ustar' | 'gnu' | 'none';
  readonly prefix?: string;
  readonly major?: number;
  readonly minor?: number;
  /** Bytes put over the finished block before its checksum is made: [offset, bytes]. */
  readonly overlay?: readonly (readonly [number, Uint8Array | string])[];
}

const BLOCK = 512;

/** One header block with a right checksum. */
export function rawHeader(header: RawHeader): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, digits: number): void => {
    block.write(value.toString(8).padStart(digits, '0'), offset, 'latin1');
  };
  Buffer.from(header.name as string, 'latin1').copy(block, 0, 0, 100);
  octal(header.mode ?? 0o644, 100, 7);
  octal(header.uid ?? 0, 108, 7);
  octal(header.gid ?? 0, 116, 7);
  octal(header.size ?? 0, 124, 11);
  octal(header.mtime ?? 1_600_000_000, 136, 11);
  block.write(header.type ?? '0', 156, 'latin1');
  block.write(header.linkName ?? '', 157, 'latin1');
  const magic = header.magic ?? 'ustar';
  if (magic === 'ustar') block.write('ustar\u000000', 257, 'latin1');
  if (magic === 'gnu') block.write('ustar  \u0000', 257, 'latin1');
  if (header.major !== undefined) octal(header.major, 329, 7);
  if (header.minor !== undefined) octal(header.minor, 337, 7);
  if (header.prefix !== undefined) block.write(header.prefix, 345, 'latin1');
  for (const [offset, bytes] of header.overlay ?? [])
    Buffer.from(bytes as string, 'latin1').copy(block, offset);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return block;
}

/** Content and its padding to a whole block. */
export function rawBody(content: string | Uint8Array): Buffer {
  const body = Buffer.from(content as string, 'latin1');
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}

/** A header with its payload. */
export function rawEntry(header: Omit<RawHeader, 'size'>, content: string | Uint8Array = ''): Buffer {
  return Buffer.concat([
    rawHeader({ ...header, size: Buffer.from(content as string, 'latin1').length }),
    rawBody(content),
  ]);
}

/** A pax extended header (`x`) or global header (`g`) with the records given. */
export function rawPax(records: readonly (readonly [string, string])[], type: 'x' | 'g' = 'x'): Buffer {
  const body = records.map(([key, value]) => paxRecord(key, value)).join('');
  return rawEntry({ name: type === 'x' ? 'PaxHeaders.0/entry' : 'pax_global_header', type }, body);
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/** Two zero blocks. */
export const END: Buffer = Buffer.alloc(2 * BLOCK);
