import { END, rawHeader } from './raw-tar.js';

const MEBIBYTE = 1 << 20;
const ENTRIES_PER_DIRECTORY = 500;

/** One file of that many MiB, made while it is read. */
export async function* bigLayer(mebibytes: number): AsyncGenerator<Uint8Array> {
  yield rawHeader({ name: 'big', magic: 'gnu', size: 0, overlay: [[124, base256(mebibytes * MEBIBYTE)]] });
  const chunk = Buffer.alloc(MEBIBYTE);
  for (let n = 0; n < chunk.length; n++) chunk[n] = (n * 31 + (n >> 8)) & 0xff;
  for (let n = 0; n < mebibytes; n++) yield chunk;
  yield END;
}

/** GNU base-256 of 12 bytes: what sizes from 8 GiB on need. */
function base256(value: number): Buffer {
  const field = Buffer.alloc(12);
  field.writeBigUInt64BE(BigInt(value), 4);
  field[0] = 0x80;
  return field;
}

/** That many small files, 500 in a directory, made while they are read. */
export async function* wideLayer(entries: number): AsyncGenerator<Uint8Array> {
  const body = Buffer.alloc(512, 'a small file\n');
  let parts: Buffer[] = [];
  for (let n = 0; n < entries; n++) {
    const directory = `usr/lib/some-longer-directory-name/${Math.floor(n / ENTRIES_PER_DIRECTORY)}`;
    if (n % ENTRIES_PER_DIRECTORY === 0)
      parts.push(rawHeader({ name: `${directory}/`, type: '5', mode: 0o755 }));
    parts.push(rawHeader({ name: `${directory}/file-${n}.js`, size: 400 + (n % 100) }), body);
    if (parts.length >= 1000) {
      yield Buffer.concat(parts);
      parts = [];
    }
  }
  yield Buffer.concat([...parts, END]);
}
