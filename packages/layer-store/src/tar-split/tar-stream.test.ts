import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Crc64 } from '@x/archive';
import { archiveOf, END_BLOCKS, entryBytes, headerBlock, paxEntry } from './archive-builder.test-support.js';
import { assembleTar, assemblyPool } from './assembler.js';
import { disassembleTar } from './disassembler.js';
import { SEGMENT_LIMIT, TYPE_FILE } from './entry.js';
import { MemoryLayer } from './memory-layer.test-support.js';
import { readTarSplit } from './reader.js';
import { TarSplitWriter } from './writer.js';

const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tar-split-stream-'));
  path = join(directory, 'record');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Pieces of uneven size, none aligned with a block. */
function* pieces(tar: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < tar.length; at += size) yield tar.subarray(at, at + size);
}

/** Takes a stream apart; its payloads end up in the layer that is returned. */
async function disassemble(tar: Buffer, size = 65_537): Promise<MemoryLayer> {
  rmSync(path, { force: true });
  await using writer = await TarSplitWriter.open(path);
  const layer = new MemoryLayer();
  const result = await disassembleTar(Readable.from(pieces(tar, size)), writer, {
    payloads: layer,
    drain: () => writer.drain(),
  });
  expect(result.bytes).toBe(tar.length);
  await writer.finish();
  return layer;
}

async function assemble(layer: MemoryLayer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of assembleTar(path, layer)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function expectRoundTrip(tar: Buffer, size?: number): Promise<MemoryLayer> {
  const layer = await disassemble(tar, size);
  const again = await assemble(layer);
  expect([again.length, sha1(again)]).toEqual([tar.length, sha1(tar)]);
  return layer;
}

async function fileEntries(): Promise<{ name: string; size: number }[]> {
  const files: { name: string; size: number }[] = [];
  for await (const entry of readTarSplit(path)) {
    if (entry.type === TYPE_FILE)
      files.push({ name: Buffer.from(entry.name).toString('latin1'), size: entry.size });
  }
  return files;
}

describe('a stream that was taken apart and put together again is the same (TarStream)', () => {
  let tree: string;
  const gnuTar = (...names: readonly string[]): Buffer =>
    execFileSync('tar', ['--format=gnu', '-cf', '-', '-C', tree, ...names], { maxBuffer: 64 * 1024 * 1024 });

  beforeAll(() => {
    tree = mkdtempSync(join(tmpdir(), 'tar-split-tree-'));
    writeFileSync(join(tree, 'hurr.txt'), 'imma hurr til I derp');
    writeFileSync(join(tree, 'ermahgerd.txt'), 'café con leche, por favor');
    const deep = join(
      tree,
      'deep',
      ...Array.from({ length: 8 }, (_, level) => `${'directory'.repeat(3)}${level}`),
    );
    mkdirSync(deep, { recursive: true });
    for (let index = 0; index < 10; index++) writeFileSync(join(deep, `file${index}`), `content ${index}`);
    mkdirSync(join(tree, 'fat'));
    writeFileSync(join(tree, `fat/${'x'.repeat(180)}`), randomBytes(26_000_000));
    mkdirSync(join(tree, 'latin'));
    writeFileSync(
      Buffer.concat([Buffer.from(`${tree}/latin/h`), Buffer.from([0xe4]), Buffer.from('t')]),
      'hat',
    );
  });

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it('two small files and the padding of the record (t)', async () => {
    const tar = gnuTar('hurr.txt', 'ermahgerd.txt');
    expect(tar.length).toBe(10_240);
    const layer = await expectRoundTrip(tar);
    expect(layer.files.get('hurr.txt')?.toString()).toBe('imma hurr til I derp');
  });

  it('GNU long names in deep directories (longlink)', async () => {
    const layer = await expectRoundTrip(gnuTar('deep'));
    expect(layer.files.size).toBe(10);
  });

  it('a long name and a payload larger than every buffer (fatlonglink)', async () => {
    await expectRoundTrip(gnuTar('fat'));
  });

  it('a name that is no UTF-8 (iso-8859)', async () => {
    const layer = await expectRoundTrip(gnuTar('latin'));
    expect([...layer.files.keys()]).toEqual(['latin/h\u00e4t']);
  });

  it('an odd number of NULs behind the end (extranils)', async () => {
    await expectRoundTrip(Buffer.concat([gnuTar('hurr.txt'), Buffer.alloc(408)]));
    await expectRoundTrip(Buffer.concat([gnuTar('hurr.txt'), Buffer.alloc(407)]));
  });

  it('a header and nothing else (notenoughnils)', async () => {
    const tar = headerBlock({ name: 'lonely' });
    expect(tar.length).toBe(512);
    await expectRoundTrip(tar);
  });

  it('a file with its padding but without end blocks (no-end)', async () => {
    const tar = entryBytes({ name: 'layer.json', body: 'x'.repeat(124) });
    expect(tar.length).toBe(1024);
    await expectRoundTrip(tar);
  });

  it('whatever the pieces it comes in', async () => {
    const tar = gnuTar('hurr.txt', 'deep');
    for (const size of [1, 511, 512, 513, 10_000]) await expectRoundTrip(tar, size);
  });

  it('files at and around the size of the output buffers', async () => {
    const bodies = [0, -512, -1, 1, 513].map((more) => randomBytes(SEGMENT_LIMIT + more));
    await expectRoundTrip(archiveOf(...bodies.map((body, index) => ({ name: `f${index}`, body }))));
  });
});

describe('shapes that end early or oddly (spec 3.8)', () => {
  const file = entryBytes({ name: 'file', body: 'x'.repeat(600) });
  const accepted: readonly (readonly [string, Buffer])[] = [
    ['no bytes at all', Buffer.alloc(0)],
    ['one zero block', Buffer.alloc(512)],
    ['cut exactly at the end of a payload', file.subarray(0, 512 + 600)],
    ['cut inside the padding', file.subarray(0, 512 + 600 + 100)],
    ['garbage in the padding', Buffer.concat([file.subarray(0, 1112), Buffer.alloc(424, 'g'), END_BLOCKS])],
    [
      'entries behind the end',
      Buffer.concat([file, END_BLOCKS, entryBytes({ name: 'late', body: 'late' }), Buffer.alloc(3)]),
    ],
    ['an extended header for nothing', entryBytes(paxEntry({ path: 'nothing' }))],
  ];
  for (const [shape, tar] of accepted)
    it(`${shape}: kept as it is`, async () => void (await expectRoundTrip(tar)));

  const refused: readonly (readonly [string, Buffer])[] = [
    ['cut inside a payload', file.subarray(0, 700)],
    ['cut inside a header', file.subarray(0, 300)],
    ['a block after a single zero block', Buffer.concat([Buffer.alloc(512), file])],
  ];
  for (const [shape, tar] of refused) {
    it(`${shape}: refused, and no record stays`, async () => {
      await expect(disassemble(tar)).rejects.toMatchObject({ code: expect.stringMatching(/^ARCHIVE_/) });
      expect(readdirSync(directory)).toEqual([]);
    });
  }
});

describe('payloads that no name leads back to are kept in the record (spec 3.9)', () => {
  it('a size on a link or a directory is no payload', async () => {
    await expectRoundTrip(
      archiveOf({ name: 'link', type: '2', link: 'target', size: 700 }, { name: 'd/', type: '5', size: 9 }),
    );
    expect(await fileEntries()).toEqual([
      { name: 'link', size: 0 },
      { name: 'd/', size: 0 },
    ]);
  });

  it('a name that comes again has one entry', async () => {
    const layer = await expectRoundTrip(
      archiveOf(
        { name: 'f', body: 'first' },
        { name: 'd/', type: '5' },
        { name: './f', body: 'second' },
        { name: 'd', type: '5' },
      ),
    );
    expect(layer.files.get('f')?.toString()).toBe('first');
    expect(await fileEntries()).toEqual([
      { name: 'f', size: 5 },
      { name: 'd/', size: 0 },
    ]);
  });

  it('a pax sparse file and an unknown type', async () => {
    const map = Buffer.alloc(512);
    map.write('1\n0\n5\n');
    const sparse = paxEntry({
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 'sparse',
      'GNU.sparse.realsize': '5000',
    });
    const body = Buffer.concat([map, Buffer.from('12345')]);
    await expectRoundTrip(
      archiveOf(sparse, { name: 'GNUSparseFile.0/sparse', body }, { name: 'odd', type: 'Z', body: 'odd' }),
    );
    expect(await fileEntries()).toEqual([
      { name: 'sparse', size: 0 },
      { name: 'odd', size: 0 },
    ]);
  });
});

describe('the archives that ship with Go', () => {
  const fixtures = readdirSync('/usr/share')
    .filter((name) => name.startsWith('go-'))
    .map((name) => join('/usr/share', name, 'src/archive/tar/testdata'))
    .find((candidate) => readdirSync(candidate).length > 0);
  const invalid = new Set(
    [
      'issue10968',
      'issue11169',
      'issue12435',
      'neg-size',
      'pax-bad-hdr-file',
      'pax-bad-hdr-large',
      'pax-bad-mtime-file',
      'pax-nul-path',
      'pax-nul-xattrs',
      'writer-big',
      'writer-big-long',
    ].map((name) => `${name}.tar`),
  );

  if (fixtures === undefined) {
    it('are here (Debian: golang-1.19-src)', () => {
      if (process.env.CI === 'true') throw new Error('install golang-1.19-src: its tar fixtures are missing');
      process.stderr.write('SKIPPED: no Go tar fixtures; install golang-1.19-src\n');
    });
    return;
  }
  for (const name of readdirSync(fixtures).filter((file) => file.endsWith('.tar'))) {
    it(invalid.has(name) ? `${name} is refused` : `${name} streams back`, async () => {
      const tar = readFileSync(join(fixtures, name));
      if (invalid.has(name)) {
        await expect(disassemble(tar)).rejects.toMatchObject({ code: expect.stringMatching(/^ARCHIVE_/) });
      } else {
        await expectRoundTrip(tar);
      }
    });
  }
});

describe('checksums', () => {
  const vectors: readonly (readonly [string, string])[] = [
    ['foo', '3c3c303000000000'],
    ['bar', '2dc416f000000000'],
    ['imma hurr til I derp', '0274a4b1abec6b4e'],
    ['café con leche, por favor', '7e4859efe6fca0bb'],
  ];
  for (const [body, expected] of vectors) {
    it(`of "${body}" are recorded, and the content comes back (Getter, Putter)`, async () => {
      const layer = await disassemble(archiveOf({ name: 'file', body }));
      const crcs: string[] = [];
      for await (const entry of readTarSplit(path)) {
        if (entry.type === TYPE_FILE) crcs.push(Buffer.from(entry.crc ?? []).toString('hex'));
      }
      expect(crcs).toEqual([expected]);
      expect(layer.files.get('file')?.toString()).toBe(body);
    });

    it(`of "${body}" do not match a changed content (TarStreamMangledGetterPutter)`, async () => {
      const layer = await disassemble(archiveOf({ name: 'file', body }));
      const mangled = Buffer.from(body);
      mangled[0] = (mangled[0] ?? 0) ^ 1;
      layer.files.set('file', mangled);
      await expect(assemble(layer)).rejects.toMatchObject({ code: 'ARCHIVE_FILE_CORRUPT' });
      expect(Buffer.from(new Crc64().update(mangled).digest()).toString('hex')).not.toBe(expected);
    });
  }
});

describe('assembleTar', () => {
  it('names the layer in errors', async () => {
    const layer = await disassemble(archiveOf({ name: 'gone', body: 'x' }));
    layer.files.clear();
    const reading = assembleTar(path, layer, { chainId: 'sha256:abc' });
    await expect(reading.next()).rejects.toMatchObject({
      code: 'ARCHIVE_FILE_CORRUPT',
      chainId: 'sha256:abc',
      path: 'gone',
    });
  });

  it('gives chunks that stay what they were', async () => {
    const tar = archiveOf(
      ...Array.from({ length: 6 }, (_, index) => ({ name: `f${index}`, body: randomBytes(SEGMENT_LIMIT) })),
    );
    const layer = await disassemble(tar);
    const chunks: Uint8Array[] = [];
    const sums: string[] = [];
    for await (const chunk of assembleTar(path, layer)) {
      chunks.push(chunk);
      sums.push(sha1(chunk));
    }
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.map((chunk) => sha1(chunk))).toEqual(sums);
  });

  it('fills buffers again that came back', async () => {
    const tar = archiveOf(
      ...Array.from({ length: 20 }, (_, index) => ({ name: `f${index}`, body: randomBytes(SEGMENT_LIMIT) })),
    );
    const layer = await disassemble(tar);
    const pool = assemblyPool();
    const memories = new Set<ArrayBufferLike>();
    const hash = createHash('sha1');
    for await (const chunk of assembleTar(path, layer, { pool })) {
      memories.add(chunk.buffer);
      hash.update(chunk);
      pool.recycle(chunk);
    }
    expect(hash.digest('hex')).toBe(sha1(tar));
    expect(memories.size).toBeLessThanOrEqual(4);
  });

  it('waits for the gatherer before it ends early, and stops when it is told to', async () => {
    const layer = await disassemble(archiveOf({ name: 'f', body: randomBytes(3 * SEGMENT_LIMIT) }));
    let running = 0;
    const gather = layer.gather.bind(layer);
    layer.gather = async (plan, out) => {
      running++;
      await new Promise((resolve) => setImmediate(resolve));
      await gather(plan, out);
      running--;
    };
    for await (const chunk of assembleTar(path, layer)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(running).toBe(0);
    const controller = new AbortController();
    const reading = assembleTar(path, layer, { signal: controller.signal });
    await reading.next();
    controller.abort();
    await expect(reading.next()).rejects.toMatchObject({ name: 'AbortError' });
    expect(running).toBe(0);
  });

  it('looks files up by clean names inside the layer', async () => {
    const names = ['/abs', './dot', 'a/../b', '../../up', 'c//d/./e'];
    const layer = await disassemble(archiveOf(...names.map((name) => ({ name, body: name }))));
    expect([...layer.files.keys()]).toEqual(['abs', 'dot', 'b', 'up', 'c/d/e']);
    await assemble(layer);
  });
});

describe('junk behind the end', () => {
  it('passes through in constant memory (LargeJunkPadding)', async () => {
    const total = 512 * 1024 * 1024;
    const zeros = Buffer.alloc(SEGMENT_LIMIT);
    async function* source(): AsyncGenerator<Uint8Array> {
      yield END_BLOCKS;
      for (let sent = 0; sent < total; sent += zeros.length) yield zeros;
    }
    const writer = await TarSplitWriter.open(path);
    let highest = 0;
    const before = process.memoryUsage().rss;
    const drain = async (): Promise<void> => {
      await writer.drain();
      highest = Math.max(highest, process.memoryUsage().rss);
    };
    const result = await disassembleTar(source(), writer, { drain });
    await writer.finish();
    expect(result.bytes).toBe(total + END_BLOCKS.length);
    expect(highest - before).toBeLessThan(256 * 1024 * 1024);
    let length = 0;
    for await (const chunk of assembleTar(path, new MemoryLayer())) length += chunk.length;
    expect(length).toBe(result.bytes);
  });
});
