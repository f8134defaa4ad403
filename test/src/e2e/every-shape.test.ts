import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import { LayerStore } from '@x/layer-store';
import { dockerStore, itWith } from '../capability/capability.js';
import { type Fixture, goFixtures } from '../corpus/go-fixtures.js';
import { POISON_SHAPES, type Shape, TRUNCATION_SHAPES } from '../corpus/shapes.js';
import { findProgram } from '../program/find-program.js';
import { runProgram } from '../program/run-program.js';
import { type ScratchDirectory, scratchDirectory } from '../scratch/scratch-directory.js';

let scratch: ScratchDirectory;
let store: LayerStore;

beforeAll(async () => {
  scratch = await scratchDirectory();
  store = await LayerStore.open({
    root: `${scratch.path}/store`,
    driver: new VfsDriver({ home: `${scratch.path}/vfs` }),
  });
});

afterAll(async () => {
  await store.close();
  await scratch[Symbol.asyncDispose]();
});

async function* stream(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Registers and exports; the refusal's code, or undefined when the bytes came back the same. Anything else fails. */
async function outcomeOf(tar: Buffer): Promise<string | undefined> {
  let refusal: unknown;
  try {
    const layer = await store.register(stream(tar), undefined, { decompress: false });
    const exported = await collect(layer.tarStream());
    expect(exported.equals(tar)).toBe(true);
    expect(layer.diffId).toBe(`sha256:${createHash('sha256').update(tar).digest('hex')}`);
    await store.release(layer);
  } catch (error) {
    if (!isLayerStoreError(error)) throw error;
    refusal = error.code;
  }
  expect(store.map().size).toBe(0);
  expect(await readdir(`${scratch.path}/vfs/dir`)).toEqual([]);
  expect(await leftovers(`${scratch.path}/store`)).toEqual([]);
  return refusal as string | undefined;
}

/** Files in the store that are neither its database nor its lock. */
async function leftovers(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('/db') && !entry.name.startsWith('lock'))
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

describe.each([
  ['cut and padded archives (spec 3.8)', TRUNCATION_SHAPES],
  ['archives that Docker cannot give back (spec 3.9)', POISON_SHAPES],
])('%s', (_title, shapes) => {
  it.each(shapes.map((shape): [string, Shape] => [`${shape.name}: ${shape.outcome}`, shape]))(
    '%s',
    async (_name, shape) => {
      expect((await outcomeOf(shape.tar)) ?? 'exact').toBe(shape.outcome);
    },
  );
});

/** Fixtures that no reader can take, and why (spec 3.12). Everything else must come back byte for byte. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  issue10968: ['ARCHIVE_INVALID_HEADER'],
  issue11169: ['ARCHIVE_INVALID_PAX'],
  issue12435: ['ARCHIVE_INVALID_HEADER'],
  'neg-size': ['ARCHIVE_INVALID_HEADER', 'ARCHIVE_SIZE_UNSUPPORTED'],
  'pax-bad-hdr-file': ['ARCHIVE_INVALID_PAX'],
  'pax-bad-hdr-large': ['ARCHIVE_FIELD_TOO_LONG'],
  'pax-bad-mtime-file': ['ARCHIVE_INVALID_PAX'],
  'pax-nul-path': ['ARCHIVE_INVALID_PAX'],
  'pax-nul-xattrs': ['ARCHIVE_INVALID_PAX'],
  'writer-big': ['ARCHIVE_TRUNCATED'],
  'writer-big-long': ['ARCHIVE_TRUNCATED'],
};

describe("Go's own parser fixtures", () => {
  const fixtures = goFixtures();
  const itOnFixtures = itWith({
    name: 'Go tar fixtures',
    missing: fixtures === undefined ? 'the Debian package golang-1.19-src is not installed' : undefined,
  });
  const table = (fixtures ?? [{ name: 'none', tar: Buffer.alloc(0) }]).map((fixture): [string, Fixture] => [
    fixture.name,
    fixture,
  ]);
  for (const [name, fixture] of table) {
    itOnFixtures(
      `${name} ${Object.hasOwn(REFUSED, name) ? 'is refused' : 'streams back byte for byte'}`,
      async () => {
        const outcome = await outcomeOf(fixture.tar);
        const allowed = REFUSED[name];
        if (allowed === undefined) expect(outcome).toBeUndefined();
        else expect(allowed).toContain(outcome);
      },
    );
  }
});

describe('beside Docker', () => {
  itWith(dockerStore())(
    'every shape that Docker can give back has the same ids here, and no other digest',
    async () => {
      const moby = findProgram('moby-layer') ?? '';
      for (const shape of [...TRUNCATION_SHAPES, ...POISON_SHAPES]) {
        if (shape.outcome !== 'exact') continue;
        await using root = await scratchDirectory();
        const file = `${root.path}/shape.tar`;
        await writeFile(file, shape.tar);
        const { stdout } = await runProgram(
          moby,
          ['-root', `${root.path}/docker`, '-driver', 'vfs', 'register', file],
          {
            accept: [0, 1],
          },
        );
        const registered = /"chainID":"(sha256:[0-9a-f]+)","diffID":"(sha256:[0-9a-f]+)"/.exec(stdout);
        if (registered === null) continue;
        await using other = await LayerStore.open({
          root: `${root.path}/ours`,
          driver: new VfsDriver({ home: `${root.path}/vfs` }),
        });
        const layer = await other.register(stream(await readFile(file)), undefined, { decompress: false });
        expect([shape.name, layer.chainId, layer.diffId]).toEqual([shape.name, registered[1], registered[2]]);
      }
    },
  );
});
