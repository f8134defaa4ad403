import { Buffer } from 'node:buffer';

/** One entry of a hand-made ustar archive. */
export interface BuiltEntry {
  readonly name: string | Buffer;
  readonly type?: string;
  readonly body?: string | Buffer;
  /** The size field, where it is not the body's. */
  readonly size?: number;
  readonly link?: string;
}

export const END_BLOCKS: Buffer = Buffer.alloc(1024);

/** A ustar header, checksum included: independent of the codec under test. */
export function headerBlock(entry: BuiltEntry): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  };
  block.set(Buffer.from(entry.name as string), 0);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(entry.size ?? Buffer.byteLength(entry.body ?? ''), 124, 11);
  octal(1_600_000_000, 136, 11);
  block.write(entry.type ?? '0', 156, 'latin1');
  block.write(entry.link ?? '', 157, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  octal(0, 329, 7);
  octal(0, 337, 7);
  block.fill(0x20, 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}

/** Header, body and padding. */
export function entryBytes(entry: BuiltEntry): Buffer {
  const body = Buffer.from((entry.body ?? '') as string);
  return Buffer.concat([headerBlock(entry), body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** An archive with its two end blocks. */
export function archiveOf(...entries: readonly BuiltEntry[]): Buffer {
  return Buffer.concat([...entries.map(entryBytes), END_BLOCKS]);
}

/** A pax extended header that applies to the next entry. */
export function paxEntry(records: Readonly<Record<string, string>>, type = 'x'): BuiltEntry {
  let body = '';
  for (const [key, value] of Object.entries(records)) {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + String(rest).length;
    if (rest + String(length).length > length) length++;
    body += `${length} ${key}=${value}\n`;
  }
  return { name: 'PaxHeaders/next', type, body };
}
