/** Hand-made archives: unlike the codec's encoder this one writes any nonsense it is asked for. */

export interface EntrySpec {
  readonly name: string | Uint8Array;
  /** Type flag; default '0'. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly link?: string;
  /** The size to claim, when it is not the content's. */
  readonly size?: number;
  readonly major?: number;
  readonly minor?: number;
  /** pax records that come before the entry. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  readonly format?: 'ustar' | 'gnu';
  readonly prefix?: string;
}

const BLOCK = 512;
const OCTAL_UID_LIMIT = 0o7777777;

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function number(block: Buffer, value: number, at: number, length: number): void {
  if (value >= 0 && value <= OCTAL_UID_LIMIT * (length > 8 ? 4096 : 1)) {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
    return;
  }
  let rest = BigInt.asUintN(8 * length, BigInt(value));
  for (let index = length - 1; index >= 0; index--, rest >>= 8n) block[at + index] = Number(rest & 0xffn);
  block[at] = (block[at] ?? 0) | 0x80;
}

/** One 512-byte header block with a right checksum. */
export function headerBlock(spec: EntrySpec, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const name = Buffer.from(spec.name);
  name.copy(block, 0, 0, 100);
  number(block, spec.mode ?? (spec.type === '5' ? 0o755 : 0o644), 100, 8);
  number(block, spec.uid ?? 0, 108, 8);
  number(block, spec.gid ?? 0, 116, 8);
  number(block, size, 124, 12);
  number(block, spec.mtime ?? 1_600_000_000, 136, 12);
  block.write(spec.type ?? '0', 156, 'latin1');
  block.write(spec.link ?? '', 157, 'latin1');
  block.write(spec.format === 'gnu' ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1');
  number(block, spec.major ?? 0, 329, 8);
  number(block, spec.minor ?? 0, 337, 8);
  block.write(spec.prefix ?? '', 345, 'latin1');
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

export function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = body.length + 1;
  while (`${length}`.length + body.length !== length) length++;
  return Buffer.concat([Buffer.from(`${length}`), body]);
}

/** One entry with its extended header, payload and padding. */
export function entry(spec: EntrySpec): Buffer {
  const content = Buffer.from(spec.content ?? '');
  const name = Buffer.from(spec.name);
  const pax: Record<string, string | Uint8Array> = { ...spec.pax };
  if (name.length > 100 && spec.prefix === undefined) pax.path ??= name;
  if ((spec.link ?? '').length > 100) pax.linkpath ??= spec.link ?? '';
  const parts: Buffer[] = [];
  const records = Object.entries(pax).map(([key, value]) => paxRecord(key, value));
  if (records.length > 0) {
    const body = Buffer.concat(records);
    parts.push(headerBlock({ name: 'pax', type: 'x' }, body.length), padded(body));
  }
  parts.push(headerBlock(spec, spec.size ?? content.length), padded(content));
  return Buffer.concat(parts);
}

/** A global header. */
export function globalHeader(name: string, records: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([headerBlock({ name, type: 'g' }, body.length), padded(body)]);
}

export const END: Buffer = Buffer.alloc(2 * BLOCK);

/** A whole archive. */
export function archive(...specs: readonly (EntrySpec | Buffer)[]): Buffer {
  return Buffer.concat([...specs.map((spec) => (Buffer.isBuffer(spec) ? spec : entry(spec))), END]);
}

/** A source that gives the bytes in pieces. */
export async function* pieces(bytes: Uint8Array, size: number = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
