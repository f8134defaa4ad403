import { type FileHandle, open } from 'node:fs/promises';

const SECTOR = 512;
const MAGIC = 0x6a736677736872n;
const FLUSH = 1n;
const FUA = 2n;
const DISCARD = 4n;
const MARK = 8n;
/** sector, sectors, flags, data length: four 64-bit numbers. */
const ENTRY_HEADER = 32;

/** One thing that was done to a device under dm-log-writes. Numbers are bytes. */
export type LoggedWrite =
  | { readonly kind: 'mark'; readonly text: string }
  | {
      readonly kind: 'write' | 'discard';
      readonly offset: number;
      readonly length: number;
      readonly durable: boolean;
      readonly at: number;
    };

/**
 * Reads the log of a dm-log-writes target (Documentation/admin-guide/device-mapper/log-writes.rst, drivers/md/dm-log-writes.c):
 * everything that was written, in an order in which it can have reached the disk.
 */
export async function* readWriteLog(path: string): AsyncGenerator<LoggedWrite> {
  await using log = await open(path, 'r');
  const head = await read(log, 0, SECTOR);
  if (head.readBigUInt64LE(0) !== MAGIC) throw new Error(`${path} holds no log of writes`);
  const entries = Number(head.readBigUInt64LE(16));
  let position = SECTOR;
  for (let index = 0; index < entries; index++) {
    const entry = await read(log, position, SECTOR);
    position += SECTOR;
    const [sector, sectors, flags, size] = [0, 8, 16, 24].map((offset) => entry.readBigUInt64LE(offset)) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    if ((flags & MARK) !== 0n) {
      yield {
        kind: 'mark',
        text: entry
          .subarray(ENTRY_HEADER, ENTRY_HEADER + Number(size))
          .toString('latin1')
          .replace(/\0+$/, ''),
      };
      continue;
    }
    const length = Number(sectors) * SECTOR;
    const discard = (flags & DISCARD) !== 0n;
    yield {
      kind: discard ? 'discard' : 'write',
      offset: Number(sector) * SECTOR,
      length,
      durable: (flags & (FLUSH | FUA)) !== 0n,
      at: position,
    };
    if (!discard) position += length;
  }
}

/** Does to an image what the log says was done to the device. A discarded range reads as anything: it is left. */
export async function replay(log: FileHandle, write: LoggedWrite, image: FileHandle): Promise<void> {
  if (write.kind !== 'write' || write.length === 0) return;
  await image.write(await read(log, write.at, write.length), 0, write.length, write.offset);
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead !== length) throw new Error(`the log ends at ${position + bytesRead}`);
  return buffer;
}
