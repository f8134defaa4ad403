import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { sortByPosition, type TarSplitEntry, TYPE_FILE, TYPE_SEGMENT } from './entry.js';
import { refuseDuplicates, TarSplitPacker } from './packer.js';
import { readTarSplit } from './reader.js';
import { NEED_MORE, TarSplitScanner } from './scanner.js';

const crc = Buffer.from('3c3c303000000000', 'hex');
const text = (value: string): Buffer => Buffer.from(value);

/** As plain values, so that views that are reused do not matter. */
interface Plain {
  readonly type: number;
  readonly position: number;
  readonly text: string;
  readonly size?: number;
  readonly crc?: string | undefined;
}

function plain(entry: TarSplitEntry): Plain {
  const { type, position } = entry;
  if (entry.type === TYPE_SEGMENT)
    return { type, position, text: Buffer.from(entry.payload).toString('latin1') };
  return {
    type,
    position,
    text: Buffer.from(entry.name).toString('latin1'),
    size: entry.size,
    crc: entry.crc === undefined ? undefined : Buffer.from(entry.crc).toString('hex'),
  };
}

async function read(json: string | Buffer, ...pieces: Buffer[]): Promise<Plain[]> {
  const source = Readable.from(pieces.length > 0 ? pieces : [gzipSync(json)]);
  const all: Plain[] = [];
  for await (const entry of readTarSplit(source)) all.push(plain(entry));
  return all;
}

const FOUR: readonly TarSplitEntry[] = [
  { type: TYPE_SEGMENT, payload: text('y tho'), position: 0 },
  { type: TYPE_FILE, name: text('./hurr.txt'), size: 3, crc, position: 1 },
  { type: TYPE_SEGMENT, payload: text('doot doot'), position: 2 },
  { type: TYPE_FILE, name: Buffer.from([0xe4]), size: 0, crc: undefined, position: 3 },
];

function packed(): Buffer {
  const packer = new TarSplitPacker();
  for (const entry of FOUR) packer.add(entry);
  return packer.take();
}

describe('tar-split reader', () => {
  it('four entries survive the plain round trip, however the text is cut (TestJSONPackerUnpacker)', () => {
    const json = packed();
    for (let size = 1; size <= json.length; size++) {
      const scanner = new TarSplitScanner();
      const seen: Plain[] = [];
      const scan = (): void => {
        for (let type = scanner.next(); type !== NEED_MORE; type = scanner.next()) {
          const { position } = scanner;
          if (type === TYPE_SEGMENT)
            seen.push({ type, position, text: scanner.payload().toString('latin1') });
          else seen.push({ type, position, text: scanner.name.toString('latin1'), size: scanner.size });
        }
      };
      for (let at = 0; at < json.length; at += size) {
        scanner.push(json.subarray(at, at + size));
        scan();
      }
      scanner.end();
      scan();
      expect(seen.map(({ position, text: content }) => [position, content])).toEqual(
        FOUR.map(plain).map(({ position, text: content }) => [position, content]),
      );
    }
  });

  it('four entries survive gzip, also in several members (TestGzip)', async () => {
    const json = packed();
    expect(await read(json)).toEqual(FOUR.map(plain));
    const members = [0, 10, 200].map((at, index, cuts) =>
      gzipSync(json.subarray(at, cuts[index + 1] ?? json.length)),
    );
    expect(await read('', Buffer.concat(members))).toEqual(FOUR.map(plain));
  });

  it('entries can be put in the order of their positions (TestEntries)', () => {
    const shuffled = [FOUR[2], FOUR[0], FOUR[3], FOUR[1]] as TarSplitEntry[];
    expect(sortByPosition(shuffled)).toEqual(FOUR);
    expect(shuffled[0]).toBe(FOUR[2]);
  });

  it('any name survives, whatever bytes it is made of', async () => {
    // Bytes that JSON, Go and UTF-8 treat specially are drawn as often as all others together.
    const special = Buffer.from('"\\<>&/\n\r\t\u0000\u007f\u2028\u2029\u00e9\u6f22');
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 8) % below;
    };
    const names = Array.from({ length: 2000 }, (_, index) =>
      Buffer.from([
        ...Buffer.from(`${index}:`),
        ...Array.from({ length: random(30) }, () => {
          return random(2) === 0 ? (special[random(special.length)] as number) : random(256);
        }),
      ]),
    );
    names.push(...names.slice(0, 100).map((name) => Buffer.from(`é漢\u2028${name.toString('hex')}`)));
    const packer = new TarSplitPacker();
    // A slash makes names collide that are cleaned to the same.
    const distinct = names.filter((name) => !name.includes('/'));
    for (const name of distinct) packer.add({ type: TYPE_FILE, name, size: 3, crc, position: 0 });
    const json = packer.take();
    const seen = await read(json);
    expect(seen.map(({ text: name }) => name)).toEqual(distinct.map((name) => name.toString('latin1')));
    for (const line of json.toString('utf8').trimEnd().split('\n'))
      expect(() => JSON.parse(line)).not.toThrow();
  });

  it('takes any JSON: other key order, white space, unknown keys and types, several values a line', async () => {
    const json =
      ' {"position" : 4,\n "payload":"YQ==", "type":2, "extra":{"nested":"}{\\""}} {"type":3,"name":"x"}\r\n\n' +
      '{"type":1,"name":"\\u0066\\u00e9","size":3,"payload":"PDwwMAAAAAA=","position":5,"more":[1,2]}' +
      '{"type":1,"name_raw":"5A==","position":6}{"type":2,"payload":null,"position":7}{"type":2,"payload":""}';
    expect(await read(json)).toEqual([
      { type: 2, position: 4, text: 'a' },
      { type: 1, position: 5, text: text('fé').toString('latin1'), size: 3, crc: crc.toString('hex') },
      { type: 1, position: 6, text: '\u00e4', size: 0, crc: undefined },
      { type: 2, position: 7, text: '' },
      { type: 2, position: 0, text: '' },
    ]);
  });

  it('accepts empty segments and a last line without its end', async () => {
    const json = '{"type":2,"payload":"","position":6}\n{"type":2,"payload":"YWI=","position":7}';
    expect(await read(json)).toEqual([
      { type: 2, position: 6, text: '' },
      { type: 2, position: 7, text: 'ab' },
    ]);
  });

  it('reads lines longer than its buffers', async () => {
    const payload = Buffer.alloc(3 * 1024 * 1024, 'z');
    const [entry] = await read(`{"type":2,"payload":"${payload.toString('base64')}","position":0}\n`);
    expect(entry?.text.length).toBe(payload.length);
  });

  it('refuses an entry without end before it fills the memory', async () => {
    const scanner = new TarSplitScanner();
    const chunk = Buffer.alloc(1024 * 1024, 'A');
    scanner.push(text('{"type":2,"payload":"'));
    const feed = (): void => {
      for (let count = 0; count < 80; count++) {
        scanner.push(chunk);
        scanner.next();
      }
    };
    expect(feed).toThrow(expect.objectContaining({ code: 'TAR_SPLIT_INVALID' }));
  });

  const damaged: readonly (readonly [string, Buffer])[] = [
    ['a gzip stream that is cut short', gzipSync(packed()).subarray(0, -9)],
    ['an empty file', Buffer.alloc(0)],
    ['bytes that are no gzip', text('{"type":2}')],
    ['a JSON value that is cut short', gzipSync(packed().subarray(0, -5))],
    ['text that is no JSON', gzipSync('{"type":2,"payload":}')],
    ['a value that is no object', gzipSync('[1]')],
    ['a payload that is no base64', gzipSync('{"type":2,"payload":"@@@@","position":0}\n')],
    ['base64 of the wrong length', gzipSync('{"type":2,"payload":"YWI","position":0}\n')],
    [
      'a checksum that is no base64',
      gzipSync('{"type":1,"name":"f","size":1,"payload":"AAAA*AAAAAA=","position":0}\n'),
    ],
    [
      'a checksum of the wrong length',
      gzipSync('{"type":1,"name":"a","size":1,"payload":"YWI=","position":0}\n'),
    ],
    ['a file without checksum', gzipSync('{"type":1,"name":"a","size":1,"payload":null,"position":0}\n')],
    ['a negative size', gzipSync('{"type":1,"name":"a","size":-1,"payload":null,"position":0}\n')],
  ];
  for (const [what, bytes] of damaged) {
    it(`refuses ${what}`, async () => {
      await expect(read('', bytes)).rejects.toMatchObject({ code: 'TAR_SPLIT_INVALID' });
    });
  }

  it('names a file that is missing', async () => {
    await expect(readTarSplit('/nonexistent/record').next()).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOENT',
    });
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    controller.abort();
    const reading = readTarSplit(Readable.from([gzipSync(packed())]), { signal: controller.signal });
    await expect(reading.next()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('duplicate names', () => {
  const file = (name: string): TarSplitEntry => ({
    type: TYPE_FILE,
    name: text(name),
    size: 0,
    crc: undefined,
    position: 0,
  });
  const refused: readonly (readonly [string, string])[] = [
    ['./hurr.txt', './hurr.txt'],
    ['./hurr.txt', 'hurr.txt'],
    ['a', 'a/'],
    ['a/../b', 'b'],
    ['../foo', 'a/../../foo'],
  ];
  for (const [first, second] of refused) {
    it(`"${first}" and "${second}" collide, for the packer and for the reader (TestDuplicateFail)`, async () => {
      const packer = new TarSplitPacker();
      packer.add(file(first));
      expect(() => packer.add(file(second))).toThrow(
        expect.objectContaining({ code: 'TAR_SPLIT_DUPLICATE' }),
      );
      const checked = refuseDuplicates(Readable.from([file(first), file(second)]));
      await checked.next();
      await expect(checked.next()).rejects.toMatchObject({ code: 'TAR_SPLIT_DUPLICATE' });
    });
  }

  it('"/a" and "a" do not collide', () => {
    const packer = new TarSplitPacker();
    for (const name of ['/a', 'a', '../a', '../../a', '..', '.', '/']) packer.add(file(name));
    expect(packer.take().toString().split('\n')).toHaveLength(8);
  });
});
