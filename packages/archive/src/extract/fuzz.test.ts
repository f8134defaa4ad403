import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isLayerStoreError } from '../errors.js';
import { archive, type EntrySpec } from './archive.test-support.js';
import { Recording } from './recording.test-support.js';
import { EXECUTORS, type ExecutorName, Sandbox } from './sandbox.test-support.js';

const NAMES = [
  'a',
  'b',
  'a/b',
  'a/b/c',
  'b/a',
  'l/a',
  'l',
  '/a',
  './b/',
  'a/../b',
  '.wh.a',
  '.wh.b',
  'a/.wh.b',
  'l/.wh.a',
];
const HOSTILE = [
  '..',
  '../victim/hello',
  'l/../../victim/x',
  '.wh..wh..opq',
  'a/.wh..wh..opq',
  '.wh..',
  '.wh..wh.plnk/1',
];
const TARGETS = ['a', 'b', 'a/b', '/a', '..', '../victim', '../victim/hello', 'l', '.wh..wh.plnk/1', '/'];

const spec: fc.Arbitrary<EntrySpec> = fc.record({
  name: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES) }, fc.constantFrom(...HOSTILE)),
  type: fc.constantFrom('0', '0', '0', '5', '5', '2', '1', '6'),
  content: fc.constantFrom('', 'x', 'some content'),
  link: fc.constantFrom(...TARGETS),
  mode: fc.constantFrom(0o644, 0o755, 0o700),
});
/** Only files have payload; a content after another type would be the next header. */
const script: fc.Arbitrary<readonly EntrySpec[]> = fc
  .array(spec, { maxLength: 12 })
  .map((specs) => specs.map((one) => (one.type === '0' ? one : { ...one, content: '' })));

const FORMATS = ['delete', 'overlay', 'aufs'] as const;

function opaque(sandbox: Sandbox): string {
  return execFileSync('getfattr', ['-R', '-P', '-h', '-m', 'overlay', '-d', '.'], {
    cwd: sandbox.dest,
    encoding: 'utf8',
  })
    .split('\n\n')
    .sort()
    .join('\n');
}

/** Unpacks, checks that nothing leaked and that a success can be given back; tells what came of it. */
async function outcome(
  executor: ExecutorName,
  entries: readonly EntrySpec[],
  whiteouts: (typeof FORMATS)[number],
): Promise<unknown> {
  await using sandbox = await Sandbox.create(executor);
  const recording = new Recording();
  const bytes = archive(...entries);
  try {
    await sandbox.apply(bytes, { whiteouts, recorder: recording, stashDirectory: sandbox.stash });
  } catch (error) {
    sandbox.expectContained();
    if (!isLayerStoreError(error)) throw error;
    return error.code;
  }
  sandbox.expectContained();
  // Names that pass an absolute link are for the gatherer to resolve in the root; a plain read would leave it.
  const { displacedNames } = recording;
  if (!entries.some(({ type }) => type === '2')) {
    expect(recording.assemble(sandbox.dest, sandbox.stash).equals(bytes)).toBe(true);
  }
  return { tree: sandbox.tree(), displacedNames, opaque: opaque(sandbox) };
}

describe('random archives', () => {
  it.each(FORMATS)(
    'are contained, reproducible and come out the same from every executor, %s format',
    async (whiteouts) => {
      await fc.assert(
        fc.asyncProperty(script, async (entries) => {
          const results = [];
          for (const executor of EXECUTORS) results.push(await outcome(executor, entries, whiteouts));
          for (const result of results) expect(result).toEqual(results[0]);
        }),
        { numRuns: 60 },
      );
    },
    120_000,
  );

  it.each(EXECUTORS)(
    'damaged anywhere give a coded error or a contained tree, %s (FuzzUntar, FuzzApplyLayer)',
    async (executor) => {
      const healthy = archive(
        { name: 'd', type: '5' },
        { name: 'd/f', content: 'payload' },
        { name: 'l', type: '2', link: 'd' },
        { name: 'l/g', pax: { mtime: '1.5', 'SCHILY.xattr.user.a': 'b' }, content: 'g' },
        { name: 'h', type: '1', link: 'd/f' },
      );
      const damage = fc.array(fc.tuple(fc.nat(healthy.length - 1), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      });
      await fc.assert(
        fc.asyncProperty(damage, fc.constantFrom('untar', 'apply'), async (hits, unpacker) => {
          await using sandbox = await Sandbox.create(executor);
          const bytes = Buffer.from(healthy);
          for (const [at, value] of hits) bytes[at] = value;
          await sandbox[unpacker as 'untar' | 'apply'](bytes, { xattrs: 'report' }).catch(
            (error: unknown) => {
              if (!isLayerStoreError(error)) throw error;
            },
          );
          sandbox.expectContained();
        }),
        { numRuns: 100 },
      );
    },
    60_000,
  );
});
