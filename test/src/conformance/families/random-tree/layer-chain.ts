import { formatChange } from '@x/archive';
import type { Driver } from '@x/layer-store';
import type { EditSession } from '../../edits/edit-session.js';
import type { EditWish } from '../../edits/edit-wish.js';
import { afterLayer, changesOf, withLayerTimes, withTrueLinks } from '../../edits/tree-law.js';
import { expectEqual, expectSameTree } from '../../expectation.js';
import { bytesOf, sourceOf } from '../../layer-bytes.js';
import { type SnapshotOptions, snapshotTree, type TreeSnapshot } from '../../tree-snapshot.js';

/** A layer that was edited through its mount. */
export interface EditedLayer {
  readonly id: string;
  readonly parent: string | undefined;
  /** The whole tree, as the model has it. */
  readonly tree: TreeSnapshot;
  /** What distinguishes it from its parent's, as the law has it. */
  readonly changes: readonly string[];
}

const EMPTY: TreeSnapshot = { root: '', entries: [], cut: false };

/** A layer's tree through its mount, in the form in which trees are compared here. */
export function mountedTree(driver: Driver, id: string, look: SnapshotOptions): Promise<TreeSnapshot> {
  return driver.withMount(id, async (path) => withTrueLinks(await snapshotTree(path, look)));
}

/** Makes layers on one another and edits each through its mount; each must then show what the model shows. */
export async function editLayers(
  driver: Driver,
  session: EditSession,
  layers: readonly (readonly EditWish[])[],
  name: string,
  look: SnapshotOptions,
): Promise<readonly EditedLayer[]> {
  const made: EditedLayer[] = [];
  for (const [number, wishes] of layers.entries()) {
    const id = `${name}-${number}`;
    const parent = made.at(-1);
    await session.beginLayer(`layer ${id}`);
    const top = number === layers.length - 1;
    if (top) await driver.createReadWrite(id, parent?.id);
    else await driver.create(id, parent?.id);
    await driver.withMount(id, (path) => session.edit(wishes, [path]));
    const tree = withTrueLinks(await snapshotTree(session.model, look));
    await expectSameTree(await mountedTree(driver, id, look), tree, `layer ${id} after its edits, mounted`);
    made.push({ id, parent: parent?.id, tree, changes: changesOf(tree, parent?.tree ?? EMPTY) });
  }
  return made;
}

/** `changes` must say exactly what the law says. */
export async function expectChanges(driver: Driver, layers: readonly EditedLayer[]): Promise<void> {
  for (const { id, parent, changes } of layers) {
    expectEqual(
      await shownChanges(driver, id, parent),
      changes,
      `changes of ${id} to ${parent ?? 'nothing'}`,
    );
  }
}

/** The diffs of a chain, lowest first. */
export async function diffsOf(driver: Driver, layers: readonly EditedLayer[]): Promise<readonly Buffer[]> {
  const diffs: Buffer[] = [];
  for (const { id, parent } of layers) diffs.push(await bytesOf(driver.diff(id, parent)));
  return diffs;
}

/** Unpacks the diffs on one another; each must give the tree the law says, and be found changed in the same way. */
export async function expectRebuilt(
  driver: Driver,
  diffs: readonly Buffer[],
  layers: readonly EditedLayer[],
  name: string,
  look: SnapshotOptions,
): Promise<void> {
  let parent: string | undefined;
  let beneath = EMPTY;
  for (const [number, { tree, changes }] of layers.entries()) {
    const id = `${name}-${number}`;
    await driver.create(id, parent);
    await driver.applyDiff(id, parent, sourceOf(diffs[number] ?? Buffer.alloc(0)));
    const wanted = withLayerTimes(afterLayer(beneath, tree, changes));
    const found = withLayerTimes(await mountedTree(driver, id, look));
    await expectSameTree(found, wanted, `${driver.name} layer ${id} made of the diffs`);
    expectEqual(await shownChanges(driver, id, parent), changes, `changes of ${id}, made of the diffs`);
    [parent, beneath] = [id, wanted];
  }
}

/** Unpacks the diffs on one another, as a store does that registers them. */
export async function rebuildLayers(driver: Driver, diffs: readonly Buffer[], name: string): Promise<void> {
  for (const [number, diff] of diffs.entries()) {
    const parent = number === 0 ? undefined : `${name}-${number - 1}`;
    await driver.create(`${name}-${number}`, parent);
    await driver.applyDiff(`${name}-${number}`, parent, sourceOf(diff));
  }
}

/** A chain removed from its top. */
export async function removeLayers(driver: Driver, name: string, count: number): Promise<void> {
  for (let number = count - 1; number >= 0; number--) await driver.remove(`${name}-${number}`);
}

/** As the law writes them: by path, bytes as latin-1. */
async function shownChanges(
  driver: Driver,
  id: string,
  parent: string | undefined,
): Promise<readonly string[]> {
  const changes = await driver.changes(id, parent);
  return changes.map(
    (change) => `${formatChange(change).slice(0, 1)} ${Buffer.from(change.path).toString('latin1')}`,
  );
}
