import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Crc64, NO_INDEX } from '@x/archive';
import { assembleTar } from './assembler.js';
import { SEGMENT_LIMIT, type TarSplitEntry, TYPE_FILE } from './entry.js';
import { MemoryLayer } from './memory-layer.test-support.js';
import { readTarSplit } from './reader.js';
import { TarSplitWriter } from './writer.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const crcOf = (text: string): Uint8Array => new Crc64().update(bytes(text)).digest();

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tar-split-writer-'));
  path = join(directory, 'tar-split.json.gz');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function entries(): Promise<TarSplitEntry[]> {
  const all: TarSplitEntry[] = [];
  for await (const entry of readTarSplit(path)) {
    all.push(entry.type === TYPE_FILE ? { ...entry, name: Buffer.from(entry.name) } : entry);
  }
  return all;
}

/** Records an entry whose "header" is its name. */
function record(writer: TarSplitWriter, name: string, size: number, fileIndex: number): void {
  const header = bytes(`header of ${name}`);
  writer.segment(header, 0, 7);
  writer.segment(header, 7, header.length);
  writer.entry(bytes(name), size, fileIndex);
}

describe('TarSplitWriter', () => {
  it('writes one segment per header, no empty ones, and puts late checksums in their place', async () => {
    const writer = await TarSplitWriter.open(path);
    record(writer, 'a', 3, 0);
    record(writer, 'd/', 0, NO_INDEX);
    record(writer, 'b', 5, 1);
    writer.checksum(0, crcOf('foo'));
    writer.segment(bytes('xxtrailerxx'), 2, 9);
    writer.segment(bytes('x'), 1, 1);
    writer.checksum(1, crcOf('hello'));
    const { bytes: size } = await writer.finish();
    expect(size).toBe(statSync(path).size);
    expect(gunzipSync(readFileSync(path)).toString()).toBe(
      [
        `{"type":2,"payload":"${bytes('header of a').toString('base64')}","position":0}`,
        '{"type":1,"name":"a","size":3,"payload":"PDwwMAAAAAA=","position":1}',
        `{"type":2,"payload":"${bytes('header of d/').toString('base64')}","position":2}`,
        '{"type":1,"name":"d/","payload":null,"position":3}',
        `{"type":2,"payload":"${bytes('header of b').toString('base64')}","position":4}`,
        `{"type":1,"name":"b","size":5,"payload":"${Buffer.from(crcOf('hello')).toString('base64')}","position":5}`,
        `{"type":2,"payload":"${bytes('trailer').toString('base64')}","position":6}`,
        '',
      ].join('\n'),
    );
  });

  it('keeps the order when checksums come many blocks late', async () => {
    const writer = await TarSplitWriter.open(path);
    const count = 5000;
    for (let index = 0; index < count; index++) record(writer, `${'n'.repeat(200)}${index}`, 9, index);
    for (let index = 0; index < count; index++) writer.checksum(index, crcOf(String(index)));
    await writer.finish();
    const files = (await entries()).filter((entry) => entry.type === TYPE_FILE);
    expect(files).toHaveLength(count);
    for (const [index, file] of files.entries()) {
      expect(Buffer.from(file.crc ?? []).equals(crcOf(String(index)))).toBe(true);
      expect(file.position).toBe(index * 2 + 1);
    }
  });

  it('splits what is longer than a segment and loses nothing of it', async () => {
    const junk = randomBytes(2.5 * SEGMENT_LIMIT);
    const writer = await TarSplitWriter.open(path);
    for (let at = 0; at < junk.length; at += 300_000) {
      writer.segment(junk, at, Math.min(junk.length, at + 300_000));
      await writer.drain();
    }
    await writer.finish();
    const segments = (await entries()).map((entry) =>
      entry.type === TYPE_FILE ? Buffer.alloc(0) : entry.payload,
    );
    expect(segments.map((segment) => segment.length)).toEqual([
      SEGMENT_LIMIT,
      SEGMENT_LIMIT,
      SEGMENT_LIMIT / 2,
    ]);
    expect(Buffer.concat(segments).equals(junk)).toBe(true);
  });

  it('an archive without bytes has a valid record', async () => {
    const writer = await TarSplitWriter.open(path);
    expect((await writer.finish()).bytes).toBeGreaterThan(0);
    expect(await entries()).toEqual([]);
  });

  it('puts displaced payloads in place of their entries, and the result streams back', async () => {
    const stashDirectory = join(directory, 'stash');
    mkdirSync(stashDirectory);
    const big = randomBytes(SEGMENT_LIMIT + 5000).toString('latin1');
    const writer = await TarSplitWriter.open(path, { stashDirectory });
    const payloads = ['zero', big, 'two!'];
    for (const [index, payload] of payloads.entries()) {
      record(writer, `f${index}`, payload.length, index);
      writer.checksum(index, crcOf(payload));
    }
    record(writer, 'link', 0, NO_INDEX);
    for (const index of [1, 0]) {
      writeFileSync(join(stashDirectory, String(index)), bytes(payloads[index] as string));
      writer.displaced(index);
    }
    const { bytes: size } = await writer.finish();
    expect(size).toBe(statSync(path).size);
    const names = (await entries()).flatMap((entry) =>
      entry.type === TYPE_FILE ? [Buffer.from(entry.name).toString()] : [],
    );
    expect(names).toEqual(['f2', 'link']);
    const layer = new MemoryLayer();
    layer.files.set('f2', bytes('two!'));
    const out: Uint8Array[] = [];
    for await (const chunk of assembleTar(path, layer)) out.push(chunk);
    const expected = `header of f0zeroheader of f1${big}header of f2two!header of link`;
    expect(Buffer.concat(out).equals(bytes(expected))).toBe(true);
    expect(existsSync(`${path}.inlined`)).toBe(false);
  });

  it('refuses a saved payload that is not the recorded one, and leaves no file', async () => {
    const writer = await TarSplitWriter.open(path, { stashDirectory: directory });
    record(writer, 'f', 4, 0);
    writer.checksum(0, crcOf('text'));
    writer.displaced(0);
    writeFileSync(join(directory, '0'), 'tent');
    await expect(writer.finish()).rejects.toMatchObject({ code: 'ARCHIVE_FILE_CORRUPT' });
    expect(existsSync(path)).toBe(false);
    expect(existsSync(`${path}.inlined`)).toBe(false);
  });

  it('refuses checksums out of turn and a missing one', async () => {
    const writer = await TarSplitWriter.open(path);
    record(writer, 'a', 1, 0);
    record(writer, 'b', 1, 1);
    expect(() => writer.checksum(1, crcOf('b'))).toThrow(
      expect.objectContaining({ code: 'STORE_INVARIANT' }),
    );
    writer.checksum(0, crcOf('a'));
    await expect(writer.finish()).rejects.toMatchObject({ code: 'STORE_INVARIANT' });
    expect(existsSync(path)).toBe(false);
  });

  it('an abandoned record leaves no file, a finished one stays', async () => {
    {
      await using writer = await TarSplitWriter.open(path);
      record(writer, 'a', 0, NO_INDEX);
    }
    expect(existsSync(path)).toBe(false);
    {
      await using writer = await TarSplitWriter.open(path);
      await writer.finish();
    }
    expect(existsSync(path)).toBe(true);
    await expect(TarSplitWriter.open(path)).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'EEXIST' });
  });

  const asRoot = process.getuid?.() === 0 || process.env.CI === 'true' ? it : it.skip;
  for (const [when, amount] of [
    ['while it is written', 24 * SEGMENT_LIMIT],
    ['with its last bytes', 100_000],
  ] as const) {
    asRoot(`reports a disk that is full ${when}`, async () => {
      const disk = join(directory, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
      try {
        const writer = await TarSplitWriter.open(join(disk, 'record'));
        const noise = randomBytes(SEGMENT_LIMIT);
        const writing = async (): Promise<void> => {
          for (let at = 0; at < amount; at += noise.length) {
            writer.segment(noise, 0, Math.min(noise.length, amount - at));
            await writer.drain();
          }
          await writer.finish();
        };
        await expect(writing()).rejects.toMatchObject({ code: 'ARCHIVE_IO', errno: 'ENOSPC' });
        await writer.abort();
        expect(existsSync(join(disk, 'record'))).toBe(false);
      } finally {
        execFileSync('umount', [disk]);
      }
    });
  }

  it('holds back the caller instead of the bytes', async () => {
    const writer = await TarSplitWriter.open(path);
    const noise = randomBytes(SEGMENT_LIMIT);
    let waited = 0;
    for (let round = 0; round < 12; round++) {
      writer.segment(noise, 0, noise.length);
      const drained = writer.drain();
      const first = await Promise.race([
        drained.then(() => 'room'),
        Promise.resolve().then(() => Promise.resolve('full')),
      ]);
      if (first === 'full') waited++;
      await drained;
    }
    expect(waited).toBeGreaterThan(0);
    await writer.finish();
  });
});
