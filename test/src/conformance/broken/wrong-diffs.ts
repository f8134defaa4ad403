import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Change, changesBetween, copyTree, exportChanges, treeSize } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import type { DriverFactory, DriverId } from '@x/layer-store';
import { type BrokenDriver, claim, factoryOf, layerDirectory } from './broken-driver.js';
import { eachEntry } from './each-entry.js';

/** A vfs that reports other changes than there are, as a native comparison might. */
function reporting(
  spoil: (changes: readonly Change[], driver: VfsDriver, id: DriverId, parent: DriverId) => Promise<Change[]>,
): DriverFactory {
  return factoryOf(
    class extends VfsDriver {
      constructor(options: { readonly home: string }) {
        super(options);
        claim(this, { nativeChanges: true });
      }
      protected override async _changes(
        id: DriverId,
        parent: DriverId | undefined,
      ): Promise<Change[] | undefined> {
        if (parent === undefined) return undefined;
        const changes = await changesBetween(layerDirectory(this, id), layerDirectory(this, parent));
        return spoil(changes, this, id, parent);
      }
    },
  );
}

/** A vfs whose diffs are made of a directory and changes that `spoil` has had in hand. */
function exporting(
  spoil: (copy: string, changes: Change[]) => Promise<Change[]>,
  whiteoutTime?: () => number,
): DriverFactory {
  return factoryOf(
    class extends VfsDriver {
      constructor(options: { readonly home: string }) {
        super(options);
        claim(this, { nativeDiff: true });
      }
      protected override async _diff(
        id: DriverId,
        parent: DriverId | undefined,
      ): Promise<AsyncIterable<Uint8Array> | undefined> {
        if (parent === undefined) return undefined;
        const changes = await changesBetween(layerDirectory(this, id), layerDirectory(this, parent));
        return exportSpoiled(this.home, layerDirectory(this, id), changes);
      }
    },
  );

  async function* exportSpoiled(
    home: string,
    layer: string,
    changes: Change[],
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const copy = await mkdtemp(path.join(home, 'copy-'));
    try {
      await copyTree(layer, copy);
      const options = whiteoutTime === undefined ? {} : { whiteoutTime: whiteoutTime() };
      yield* exportChanges(copy, await spoil(copy, changes), options);
    } finally {
      await rm(copy, { recursive: true });
    }
  }
}

async function separateLinks(copy: string): Promise<void> {
  await eachEntry(copy, async (file, stat) => {
    if (!stat.isFile() || stat.nlink === 1n) return;
    const own = Buffer.concat([file, Buffer.from('~')]);
    await copyFile(file, own);
    await rename(own, file);
  });
}

const parents = new WeakMap<VfsDriver, Map<string, DriverId>>();
let clock = 0;

/** Changes that are not there, or not told. */
export const WRONG_DIFFS: readonly BrokenDriver[] = [
  {
    breaks: 'does not report deletions',
    factory: reporting(async (changes) => changes.filter(({ kind }) => kind !== 'delete')),
    check: 'graphtest: changes are what was changed, over two layers',
    reason: /changes of upper to \w+: expected .*D \/directory-0\/file-2.*, found .*file-9'\n\]/s,
  },
  {
    breaks: 'reports what was copied but not changed',
    factory: reporting(async (changes) => [...changes, { kind: 'modify', path: Buffer.from('/opened') }]),
    check: 'native-diff: what was touched and put back as it was is no change',
    reason: /changes: expected \[\], found \[ 'C \/opened' \]/,
  },
  {
    breaks: 'believes size and time and never looks at the content',
    factory: reporting(async (_changes, driver, id, parent) =>
      changesBetween(layerDirectory(driver, id), layerDirectory(driver, parent), { contentCheck: 'never' }),
    ),
    check: 'native-diff: what was replaced by something of the same size and time is found',
    reason: /changes: expected \[ 'C \/file', 'C \/link' \], found \[ 'C \/link' \]/,
  },
  {
    breaks: 'takes every other layer for the direct parent',
    factory: factoryOf(
      class extends VfsDriver {
        override async create(id: string, parent?: string): Promise<void> {
          await super.create(id, parent);
          const known = parents.get(this) ?? new Map<string, DriverId>();
          if (parent !== undefined) known.set(id, parent as DriverId);
          parents.set(this, known);
        }
        override changes(id: string, parent?: string): Promise<Change[]> {
          return super.changes(id, parent === undefined ? undefined : (parents.get(this)?.get(id) ?? parent));
        }
      },
    ),
    check: 'graphtest: changes to a layer that is not the direct parent',
    reason: /changes of top to \w+: expected .*A \/d\/new.* found .*D \/d\/brief/s,
  },
  {
    breaks: 'counts what did not change in the size of a diff',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _diffSize(id: DriverId): Promise<number> {
          return treeSize(layerDirectory(this, id));
        }
      },
    ),
    check: 'native-diff: what was touched and put back as it was is no change',
    reason: /size of what changed: expected 0, found \d+/,
  },
  {
    breaks: 'ends a diff early and says nothing',
    factory: exporting(async (_copy, changes) => changes.slice(0, -1)),
    check: 'native-diff: a layer of whiteouts, opaque directories and changed kinds',
    reason: /diff of top to middle, unpacked: 1 difference\n\+ \/to-file file/,
  },
  {
    breaks: 'makes hard links files of their own in a diff',
    factory: exporting(async (copy, changes) => {
      await separateLinks(copy);
      return changes;
    }),
    check: 'random-tree: random edits through mounts',
    reason: /made of the diffs: .*\n- .* same as /,
    needs: ['native'],
  },
  {
    breaks: 'forgets deletions in a diff',
    factory: exporting(async (_copy, changes) => changes.filter(({ kind }) => kind !== 'delete')),
    check: 'graphtest: a diff applied to a sibling gives the same tree, and its size (DiffApply, 10 files)',
    reason: /removal of file-remove\.txt: it is still there/,
  },
  {
    breaks: 'makes another diff every time',
    factory: exporting(
      async (_copy, changes) => changes,
      () => ++clock,
    ),
    check: 'store: the stream of a read-write layer is the same every time',
    reason: /not so: the stream of the unmounted layer is that of the mounted/,
  },
];
