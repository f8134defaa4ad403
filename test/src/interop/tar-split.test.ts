import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect } from '@jest/globals';
import { applyLayer, openGatherer } from '@x/archive';
import {
  assembleTar,
  readTarSplit,
  refuseDuplicates,
  type TarSplitSource,
  TarSplitWriter,
} from '@x/layer-store';
import { dockerStore, itWith, rootPrivilege } from '../capability/capability.js';
import { END, rawEntry, rawHeader, rawPax } from '../corpus/raw-tar.js';
import { POISON_SHAPES, TRUNCATION_SHAPES } from '../corpus/shapes.js';
import { findProgram } from '../program/find-program.js';
import { runProgram } from '../program/run-program.js';
import { scratchDirectory } from '../scratch/scratch-directory.js';

const itBesideDocker = itWith(rootPrivilege(), dockerStore());

interface Sample {
  readonly name: string;
  readonly tar: Buffer;
}

const LONG = `${'a-long-directory-name/'.repeat(9)}file`;
/** A GNU long name, as GNU tar writes it. */
const gnuLongName = (name: string): Buffer =>
  rawEntry({ name: '././@LongLink', type: 'L', magic: 'gnu' }, `${name}\u0000`);
const parents = (path: string): Buffer[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((_, index, parts) => Buffer.from(`${parts.slice(0, index + 1).join('/')}/`))
    .map((name) =>
      Buffer.concat([
        gnuLongName(name.toString()),
        rawHeader({ name: name.subarray(0, 100), type: '5', mode: 0o755, magic: 'gnu' }),
      ]),
    );

/** Archives that Docker takes and gives back. */
const SAMPLES: readonly Sample[] = [
  {
    name: 'a plain tree',
    tar: Buffer.concat([
      rawHeader({ name: 'd/', type: '5', mode: 0o755 }),
      rawEntry({ name: 'd/file' }, 'content'),
      rawEntry({ name: 'd/empty' }),
      rawHeader({ name: 'd/link', type: '2', linkName: 'file' }),
      rawHeader({ name: 'd/hard', type: '1', linkName: 'd/file' }),
      rawEntry({ name: './<&>"\\\u0001' }, 'escapes'),
      rawEntry({ name: 'large' }, Buffer.alloc(2_500_000, 'large ')),
      END,
      Buffer.alloc(3000),
    ]),
  },
  {
    name: 'GNU long names',
    tar: Buffer.concat([
      ...parents(LONG),
      gnuLongName(LONG),
      rawEntry({ name: LONG.slice(0, 100), magic: 'gnu' }, 'far down'),
      END,
    ]),
  },
  {
    name: 'pax long names',
    tar: Buffer.concat([rawPax([['path', LONG]]), rawEntry({ name: 'short' }, 'far down'), END]),
  },
  {
    name: 'a name that is not UTF-8',
    tar: Buffer.concat([rawEntry({ name: Buffer.from('caf\xe9', 'latin1') }, 'latin'), END]),
  },
  { name: 'no trailer', tar: rawEntry({ name: 'file' }, 'x'.repeat(512)) },
];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A Docker root directory and what it holds; Docker's store is opened anew by every command. */
class DockerRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async run(...args: readonly string[]): Promise<void> {
    await runProgram(findProgram('moby-layer') ?? '', ['-root', this.path, '-driver', 'vfs', ...args]);
  }

  layer(diffId: string): string {
    return `${this.path}/image/vfs/layerdb/sha256/${diffId}`;
  }

  async tree(diffId: string): Promise<string> {
    return `${this.path}/vfs/dir/${await readFile(`${this.layer(diffId)}/cache-id`, 'utf8')}`;
  }

  /** The directories and files Docker would have made for a layer without parent. */
  async plant(diffId: string, size: number): Promise<{ tree: string; record: string }> {
    const cacheId = sha256(Buffer.from(diffId));
    const layer = this.layer(diffId);
    await mkdir(layer, { recursive: true });
    await mkdir(`${this.path}/vfs/dir/${cacheId}`, { recursive: true });
    await writeFile(`${layer}/diff`, `sha256:${diffId}`);
    await writeFile(`${layer}/cache-id`, cacheId);
    await writeFile(`${layer}/size`, String(size));
    return { tree: await this.tree(diffId), record: `${layer}/tar-split.json.gz` };
  }
}

async function assembled(source: TarSplitSource, tree: string, portable: boolean): Promise<string> {
  await using gatherer = await openGatherer([tree], { portable });
  const hash = createHash('sha256');
  for await (const chunk of assembleTar(source, gatherer)) hash.update(chunk);
  return hash.digest('hex');
}

describe("Docker's tar-split records, put together by us", () => {
  for (const { name, tar } of SAMPLES) {
    itBesideDocker(name, async () => {
      await using scratch = await scratchDirectory();
      const docker = new DockerRoot(`${scratch.path}/docker`);
      await writeFile(`${scratch.path}/layer.tar`, tar);
      await docker.run('register', `${scratch.path}/layer.tar`);
      const diffId = sha256(tar);
      const record = `${docker.layer(diffId)}/tar-split.json.gz`;
      const tree = await docker.tree(diffId);
      const lines = gunzipSync(readFileSync(record)).toString('latin1').split('\n');
      const emptySegment = /^\{"type":2,"payload":"","position":\d+\}$/;
      const without = lines.filter((line) => !emptySegment.test(line));
      const withOne = [
        ...without.slice(0, -1),
        `{"type":2,"payload":"","position":${without.length - 1}}`,
        '',
      ];
      for (const portable of [false, true]) {
        expect(await assembled(record, tree, portable)).toBe(diffId);
        // Both generations of Docker: with an empty segment at the end (until 0.11.3 of tar-split) and without.
        for (const variant of [without, withOne]) {
          const json = Buffer.from(variant.join('\n'), 'latin1');
          expect(await assembled(Readable.from([gzipSync(json)]), tree, portable)).toBe(diffId);
        }
      }
    });
  }
});

describe('our tar-split records, put together by Docker', () => {
  const awkward = [...TRUNCATION_SHAPES, ...POISON_SHAPES].filter(({ outcome }) => outcome === 'exact');
  for (const { name, tar } of [...SAMPLES, ...awkward]) {
    for (const portable of [false, true]) {
      itBesideDocker(`${name}${portable ? ' (without the addon)' : ''}`, async () => {
        await using scratch = await scratchDirectory();
        const docker = new DockerRoot(`${scratch.path}/docker`);
        const diffId = sha256(tar);
        const { tree, record } = await docker.plant(diffId, tar.length);
        const stashDirectory = `${scratch.path}/stash`;
        await mkdir(stashDirectory);
        await using writer = await TarSplitWriter.open(record, { stashDirectory });
        await applyLayer(Readable.from([tar]), tree, { recorder: writer, stashDirectory, portable });
        await writer.finish();

        expect(await assembled(record, tree, portable)).toBe(diffId);
        for await (const entry of refuseDuplicates(readTarSplit(record)))
          expect(entry.position).toBeGreaterThanOrEqual(0);
        await docker.run('export', `sha256:${diffId}`, `${scratch.path}/export.tar`);
        expect(sha256(readFileSync(`${scratch.path}/export.tar`))).toBe(diffId);
        expect(readdirSync(docker.layer(diffId)).sort()).toEqual([
          'cache-id',
          'diff',
          'size',
          'tar-split.json.gz',
        ]);
      });
    }
  }
});
