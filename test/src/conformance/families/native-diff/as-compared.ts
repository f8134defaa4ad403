import {
  type Change,
  changesBetween,
  changesSize,
  createArchive,
  exportChanges,
  formatChange,
} from '@x/archive';
import type { Driver } from '@x/layer-store';
import { withTrueLinks } from '../../edits/tree-law.js';
import { expectEqual, expectSameTree } from '../../expectation.js';
import { bytesOf, sourceOf } from '../../layer-bytes.js';
import { snapshotTree, type TreeSnapshot } from '../../tree-snapshot.js';
import { layerEntries } from './layer-entries.js';

/** What comparing two mounted trees gives: the generic diff, made from the outside. */
interface Comparison {
  readonly changes: readonly Change[];
  readonly size: number;
  readonly layer: Buffer;
  /** The parent's whole tree as a layer; undefined without a parent. */
  readonly parentLayer: Buffer | undefined;
}

/**
 * However a driver finds out what a layer changed, it is what comparing the two mounted trees gives: the same changes, the same size,
 * and a diff that holds the same objects and unpacks to the same tree.
 */
export async function expectAsCompared(
  driver: Driver,
  reference: Driver,
  id: string,
  parent: string | undefined,
): Promise<void> {
  const what = `of ${id} to ${parent ?? 'nothing'}`;
  const compared = await compare(driver, id, parent);
  const changes = await driver.changes(id, parent);
  expectEqual(changes.map(formatChange), compared.changes.map(formatChange), `changes ${what}`);
  expectEqual(await driver.diffSize(id, parent), compared.size, `diffSize ${what}`);
  const layer = await bytesOf(driver.diff(id, parent));
  expectEqual(layerEntries(layer), layerEntries(compared.layer), `objects in the diff ${what}`);
  await expectSameTree(
    await unpacked(reference, compared.parentLayer, layer),
    await unpacked(reference, compared.parentLayer, compared.layer),
    `diff ${what}, unpacked`,
  );
}

function compare(driver: Driver, id: string, parent: string | undefined): Promise<Comparison> {
  return driver.withMount(id, async (newer) => {
    if (parent === undefined) {
      const changes = await changesBetween(newer, undefined);
      const layer = await bytesOf(createArchive(newer));
      return { changes, size: await changesSize(newer, changes), layer, parentLayer: undefined };
    }
    return driver.withMount(parent, async (older) => {
      const changes = await changesBetween(newer, older);
      return {
        changes,
        size: await changesSize(newer, changes),
        layer: await bytesOf(exportChanges(newer, changes)),
        parentLayer: await bytesOf(createArchive(older)),
      };
    });
  });
}

/** The tree that a layer gives on its parent's, in the reference driver. */
async function unpacked(
  reference: Driver,
  parentLayer: Buffer | undefined,
  layer: Buffer,
): Promise<TreeSnapshot> {
  const [parent, id] = ['compared-parent', 'compared'];
  await reference.create(parent);
  if (parentLayer !== undefined) await reference.applyDiff(parent, undefined, sourceOf(parentLayer));
  await reference.create(id, parent);
  await reference.applyDiff(id, parent, sourceOf(layer));
  const tree = await reference.withMount(id, async (path) => withTrueLinks(await snapshotTree(path)));
  await reference.remove(id);
  await reference.remove(parent);
  return tree;
}
