import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { describeAddon, failureOf, rejectionOf, useDirectory } from '../addon.test-support.js';

const NO_ROOMS = new Uint32Array(0);

/** Bytes that look random and are the same every time. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) + 1 }, (_, i) =>
    createHash('sha512').update(String(i)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

/** One bit at a time, from the definition (RFC 1952, 8). */
function crc32(data: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

describeAddon('the gzip file of lines', (calls) => {
  const directory = useDirectory();

  /** What the file has after the blocks were written. */
  async function written(blocks: readonly Uint8Array[], rooms: readonly Uint32Array[] = []): Promise<Buffer> {
    const fd = openSync(directory.at('file.gz'), 'w');
    try {
      const gzip = new calls.NativeGzipLines(fd);
      let bytes = 0;
      for (const [index, block] of blocks.entries()) {
        bytes += await gzip.write(Buffer.from(block), rooms[index] ?? NO_ROOMS);
      }
      bytes += await gzip.finish();
      const file = readFileSync(directory.at('file.gz'));
      expect(bytes).toBe(file.length);
      return file;
    } finally {
      closeSync(fd);
    }
  }

  it('is what was written, whatever the sizes of the blocks', async () => {
    expect(gunzipSync(await written([]))).toHaveLength(0);
    expect(gunzipSync(await written([Buffer.alloc(0)]))).toHaveLength(0);
    const text = Buffer.from(noise(5000).toString('base64'));
    for (let size = 1; size < 700; size += 13) {
      const blocks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.subarray(i * size, (i + 1) * size),
      );
      expect(gunzipSync(await written(blocks)).equals(text)).toBe(true);
    }
  });

  it('has matches of every length and distance', async () => {
    const pieces: Buffer[] = [];
    for (let length = 1; length < 1100; length++)
      pieces.push(Buffer.alloc(length, 65 + (length % 7)), noise(3));
    const unlike = noise(40_000);
    for (const distance of [
      1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 1023, 4097, 32_766, 32_767, 32_768, 32_769,
    ]) {
      pieces.push(
        unlike.subarray(0, distance),
        unlike.subarray(0, Math.min(distance, 300)),
        Buffer.from('|'),
      );
      pieces.push(unlike.subarray(0, distance), unlike.subarray(0, Math.min(distance, 300)));
    }
    for (let length = 250; length < 530; length++) {
      pieces.push(unlike.subarray(0, length), Buffer.from([length & 255]), unlike.subarray(0, length));
    }
    const all = Buffer.concat(pieces);
    expect(gunzipSync(await written([all])).equals(all)).toBe(true);
  });

  it('takes what cannot be compressed, and 64 MiB of one byte', async () => {
    const random = randomBytes(3_000_000);
    const file = await written([random.subarray(0, 1_000_000), random.subarray(1_000_000)]);
    expect(gunzipSync(file).equals(random)).toBe(true);
    expect(file.length).toBeLessThan(random.length * 1.13);
    const block = Buffer.alloc(1024 * 1024, 'A');
    const long = await written(Array.from({ length: 64 }, () => block));
    expect(long.length).toBeLessThan(64 * 8192);
    expect(gunzipSync(long).equals(Buffer.alloc(64 * 1024 * 1024, 'A'))).toBe(true);
  });

  it('is one member of DEFLATE blocks that other readers take apart', async () => {
    const file = await written([Buffer.from('one\n'), Buffer.from('two\n')]);
    expect([...file.subarray(0, 4)]).toEqual([0x1f, 0x8b, 8, 0]);
    expect(inflateRawSync(file.subarray(10, -8)).toString()).toBe('one\ntwo\n');
    expect(file.readUInt32LE(file.length - 8)).toBe(crc32(Buffer.from('one\ntwo\n')));
    expect(file.readUInt32LE(file.length - 4)).toBe(8);
  });

  it('encodes what waits in rooms for base64, of every length', async () => {
    const data = noise(400);
    const lines: Buffer[] = [];
    const rooms: number[] = [];
    let expected = '';
    let at = 0;
    for (let length = 1; length <= data.length; length++) {
      const raw = data.subarray(data.length - length);
      const text = raw.toString('base64');
      lines.push(Buffer.from('<'), Buffer.alloc(text.length - length, '!'), raw, Buffer.from('>\n'));
      rooms.push(at + 1, length);
      at += text.length + 3;
      expected += `<${text}>\n`;
    }
    const file = await written([Buffer.concat(lines)], [Uint32Array.from(rooms)]);
    expect(gunzipSync(file).toString('latin1')).toBe(expected);
  });

  it('refuses rooms beyond the block, and a descriptor that cannot be written', async () => {
    const fd = openSync(directory.at('read-only'), 'w+');
    const reading = openSync(directory.at('read-only'), 'r');
    try {
      const gzip = new calls.NativeGzipLines(fd);
      for (const room of [
        [0, 4],
        [3, 1],
        [5, 0],
        [0xffff_ffff, 3],
      ]) {
        const failure = await rejectionOf(gzip.write(Buffer.alloc(4), Uint32Array.from(room)));
        expect(failure.code).toBe('EINVAL');
      }
      const failure = await rejectionOf(new calls.NativeGzipLines(reading).write(Buffer.from('x'), NO_ROOMS));
      expect(failure).toMatchObject({ code: 'EBADF', syscall: 'write' });
      expect(failureOf(() => gzip.write(Buffer.alloc(4), [] as unknown as Uint32Array))).toMatchObject({
        code: 'ERR_INVALID_ARG_TYPE',
      });
    } finally {
      closeSync(fd);
      closeSync(reading);
    }
  });

  it.each(Object.entries(calls.crc32Variants))('its checksum by %s is the definition', (_name, update) => {
    expect(update(0, Buffer.from('123456789'))).toBe(0xcbf4_3926);
    const data = noise(2100);
    for (let length = 0; length <= 600; length++) {
      const piece = data.subarray(length % 17, (length % 17) + length);
      expect(update(0, piece)).toBe(crc32(piece));
    }
    for (let cut = 0; cut <= data.length; cut += 97) {
      expect(update(update(0, data.subarray(0, cut)), data.subarray(cut))).toBe(crc32(data));
    }
  });
});
