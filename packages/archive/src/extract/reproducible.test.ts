import { statSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { archive, END, type EntrySpec, entry, globalHeader, headerBlock } from './archive.test-support.js';
import { BATCH_BYTES } from './chunk-joiner.js';
import { Recording } from './recording.test-support.js';
import { EXECUTORS, failureCode, Sandbox } from './sandbox.test-support.js';

const dir = (name: string): EntrySpec => ({ name, type: '5' });
const file = (name: string, content = 'content'): EntrySpec => ({ name, content });

/** Pads to whole blocks. */
function blocks(bytes: string): Buffer {
  const body = Buffer.from(bytes);
  return Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

const SPARSE_DATA = `${'A'.repeat(512)}${'B'.repeat(100)}`;
const SPARSE_SIZE = 10_000;

/** The same sparse file in every notation: 512 bytes at 1024, 100 bytes at 9000. */
const SPARSE: Readonly<Record<string, Buffer>> = {
  'pax 0.0': entry({
    name: 'sparse',
    content: SPARSE_DATA,
    pax: {
      'GNU.sparse.size': `${SPARSE_SIZE}`,
      'GNU.sparse.map': '1024,512,9000,100',
      'GNU.sparse.numblocks': '2',
    },
  }),
  'pax 1.0': entry({
    name: 'GNUSparseFile.0/sparse',
    content: Buffer.concat([blocks('2\n1024\n512\n9000\n100\n'), Buffer.from(SPARSE_DATA)]),
    pax: {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 'sparse',
      'GNU.sparse.realsize': `${SPARSE_SIZE}`,
    },
  }),
  'old GNU': (() => {
    const block = headerBlock({ name: 'sparse', type: 'S', format: 'gnu' }, SPARSE_DATA.length);
    const octal = (value: number, at: number): void => {
      block.write(`${value.toString(8).padStart(11, '0')}\0`, at, 'latin1');
    };
    octal(1024, 386);
    octal(512, 398);
    octal(9000, 410);
    octal(100, 422);
    octal(SPARSE_SIZE, 483);
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return Buffer.concat([block, blocks(SPARSE_DATA)]);
  })(),
};

describe.each(EXECUTORS)('a layer can be given back byte for byte, %s executor', (executor) => {
  async function record(sandbox: Sandbox, bytes: Buffer): Promise<Recording> {
    const recording = new Recording();
    const seen: Buffer[] = [];
    await sandbox.apply(bytes, {
      recorder: recording,
      stashDirectory: sandbox.stash,
      onChunk: (chunk) => seen.push(Buffer.from(chunk)),
    });
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
    expect(recording.assemble(sandbox.dest, sandbox.stash).equals(bytes)).toBe(true);
    const keys = recording.entries.map(({ name }) => name);
    expect(new Set(keys).size).toBe(keys.length);
    return recording;
  }

  it('ordinary files are read back, everything else is in the segments', async () => {
    await using sandbox = await Sandbox.create(executor);
    const recording = await record(
      sandbox,
      archive(dir('d/'), file('d/a', 'a'.repeat(3000)), file('./empty', ''), {
        name: 'l',
        type: '2',
        link: 'd/a',
      }),
    );
    expect(recording.filed).toEqual(['d/a']);
    expect(recording.entries.map(({ name }) => name)).toEqual(['d/', 'd/a', './empty', 'l']);
  });

  it.each(Object.entries(SPARSE))(
    'a sparse file (%s): stored data in the segments, holes on disk',
    async (_kind, bytes) => {
      await using sandbox = await Sandbox.create(executor);
      const recording = await record(sandbox, Buffer.concat([bytes, END]));
      expect(recording.filed).toEqual([]);
      const expected = Buffer.alloc(SPARSE_SIZE);
      expected.write(SPARSE_DATA.slice(0, 512), 1024);
      expected.write(SPARSE_DATA.slice(512), 9000);
      expect(sandbox.tree().sparse).toBe(`file 644 ${expected.toString()}`);
    },
  );

  it('links, directories and devices with a size', async () => {
    await using sandbox = await Sandbox.create(executor);
    const sized = ['1', '2', '3', '5', '6'].map((type) => ({ name: `n${type}`, type, link: 'f', size: 77 }));
    const recording = await record(sandbox, archive(file('f'), ...sized));
    expect(recording.filed).toEqual(['f']);
    expect(recording.entries).toHaveLength(6);
  });

  it('whiteouts and AUFS files with payload', async () => {
    await using sandbox = await Sandbox.create(executor);
    const recording = await record(
      sandbox,
      archive(
        file('.wh.x', 'p'),
        file('d/.wh..wh..opq', 'p'),
        file('.wh..wh.aufs', 'p'),
        file('.wh..wh.plnk/1', 'p'),
      ),
    );
    expect(recording.filed).toEqual([]);
  });

  it('a and /a, both with payload', async () => {
    await using sandbox = await Sandbox.create(executor);
    const recording = await record(sandbox, archive(file('a', 'first'), file('/a', 'second')));
    expect(recording.filed).toEqual(['a', '/a']);
    expect(recording.displacedNames).toEqual(['a']);
  });

  it('a file that is replaced later, by each type', async () => {
    const replacements: EntrySpec[] = [
      { name: 'a', type: '2', link: 'elsewhere' },
      { name: 'a', type: '1', link: 'other' },
      { name: 'a', type: '6' },
      dir('a'),
      file('a', 'again'),
    ];
    for (const replacement of replacements) {
      await using sandbox = await Sandbox.create(executor);
      const recording = await record(sandbox, archive(file('other'), file('a', 'lost'), replacement));
      expect(recording.displacedNames).toEqual(['a']);
      expect(recording.filed).toEqual(['other', 'a']);
    }
  });

  it('a file whose directory is replaced later', async () => {
    await using sandbox = await Sandbox.create(executor);
    const recording = await record(
      sandbox,
      archive(dir('a'), dir('a/b'), file('a/b/c', 'lost'), file('a/b/d', ''), {
        name: 'a',
        type: '2',
        link: 'x',
      }),
    );
    expect(recording.displacedNames).toEqual(['a/b/c']);
  });

  it('a file that keeps a hard link but loses its own name', async () => {
    await using sandbox = await Sandbox.create(executor);
    const recording = await record(
      sandbox,
      archive(
        file('a', 'shared'),
        { name: 'b', type: '1', link: 'a' },
        { name: 'c', type: '1', link: 'b' },
        dir('a'),
      ),
    );
    expect(recording.displacedNames).toEqual(['a']);
  });

  it('a file that keeps its own name when a hard link to it is replaced', async () => {
    await using sandbox = await Sandbox.create(executor);
    const recording = await record(
      sandbox,
      archive(file('a', 'shared'), { name: 'b', type: '1', link: 'a' }, file('b', 'other')),
    );
    expect(recording.displacedNames).toEqual([]);
  });

  it('a file written through a link that is redirected afterwards', async () => {
    await using sandbox = await Sandbox.create(executor);
    await symlink('one', join(sandbox.dest, 'l'));
    const recording = await record(
      sandbox,
      archive(dir('one'), dir('two'), file('l/f', 'through'), { name: 'l', type: '2', link: 'two' }),
    );
    expect(recording.displacedNames).toEqual(['l/f']);
    expect(sandbox.tree()).toMatchObject({ 'one/f': 'file 644 through' });
  });

  it('repeated directories, links, global headers and files, recorded once each', async () => {
    await using sandbox = await Sandbox.create(executor);
    const global = globalHeader('pax_global_header', { comment: 'c' });
    const recording = await record(
      sandbox,
      archive(
        global,
        dir('d'),
        dir('./d/'),
        { name: 'l', type: '2', link: 'd' },
        { name: 'l', type: '2', link: 'x' },
        file('f', 'one'),
        file('./f', 'two'),
        global,
      ),
    );
    expect(recording.entries.map(({ name }) => name)).toEqual(['pax_global_header', 'd', 'l', 'f']);
    expect(sandbox.tree()).toMatchObject({ f: 'file 644 two', l: 'link x' });
  });

  it('names that lead to the file only after cleaning', async () => {
    await using sandbox = await Sandbox.create(executor);
    const recording = await record(sandbox, archive(file('missing/../a'), file('b/')));
    expect(recording.filed).toEqual([]);
    expect(sandbox.tree()).toEqual({ a: 'file 644 content', b: 'file 644 content' });
  });

  it('bytes after the end, garbage in padding, no end marker, one NUL block, no bytes at all', async () => {
    const whole = archive(file('a', 'x'));
    const garbage = Buffer.from(whole);
    garbage.write('garbage', 600);
    const shapes = [
      Buffer.concat([whole, Buffer.from('trailing'), entry(file('not-unpacked'))]),
      garbage,
      whole.subarray(0, 1024),
      whole.subarray(0, 1536),
      Buffer.alloc(0),
      Buffer.alloc(512),
    ];
    for (const bytes of shapes) {
      await using sandbox = await Sandbox.create(executor);
      await record(sandbox, bytes);
      expect(sandbox.tree()).not.toHaveProperty('not-unpacked');
    }
  });

  it('a stream cut in the last padding', async () => {
    await using sandbox = await Sandbox.create(executor);
    await record(sandbox, archive(file('a', 'x')).subarray(0, 700));
  });

  it('refuses what is cut in a header or a payload', async () => {
    await using sandbox = await Sandbox.create(executor);
    const bytes = archive(file('a', 'x'.repeat(2000)));
    for (const length of [100, 511, 513, 2000]) {
      expect(await failureCode(sandbox.apply(bytes.subarray(0, length)))).toBe('ARCHIVE_TRUNCATED');
    }
  });

  it('ranges are at most a batch long, and a payload over many chunks keeps its checksum', async () => {
    await using sandbox = await Sandbox.create(executor);
    const big = Buffer.alloc(5 * 1024 * 1024 + 13, 'payload ');
    const recording = await record(
      sandbox,
      archive({ name: 'big', content: big }, { name: '.wh.inlined', content: big }),
    );
    expect(recording.filed).toEqual(['big']);
    expect(recording.longest).toBeLessThanOrEqual(BATCH_BYTES);
    expect(statSync(join(sandbox.dest, 'big')).size).toBe(big.length);
  });

  it('needs a stash for a recorder', async () => {
    await using sandbox = await Sandbox.create(executor);
    expect(await failureCode(sandbox.apply([], { recorder: new Recording() }))).toBe('OPTION_INVALID');
  });
});
