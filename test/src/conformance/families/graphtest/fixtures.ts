import { Buffer } from 'node:buffer';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { CHANGE_LETTER, type Change } from '@x/archive';
import type { Driver } from '@x/layer-store';
import { type Applier, attributes, directory, file, holdsOnly, tree } from '../../appliers/index.js';
import type { SubjectFacts } from '../../check.js';

/** Deterministic bytes (a linear congruential generator). */
export function randomContent(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

/** Runs an applier on a mounted layer. */
export async function edit(driver: Driver, id: string, ...parts: readonly Applier[]): Promise<void> {
  await driver.withMount(id, (root) => tree(...parts).apply(root));
}

/** Checks an applier on a mounted layer. */
export async function verify(driver: Driver, id: string, ...parts: readonly Applier[]): Promise<void> {
  await driver.withMount(id, (root) => tree(...parts).check(root));
}

/** What graphtest's createBase makes: special bits, an owner, a mode without read permission for the owner's group. */
export function baseTree(facts: SubjectFacts): Applier {
  const owner = (uid: number, gid: number) => (facts.root ? { owner: [uid, gid] as const } : {});
  return tree(
    directory('a subdir', { mode: 0o1705, ...owner(1, 2) }),
    file('a file', 'Some data', { mode: 0o4222, ...owner(0, 0) }),
    holdsOnly('', 'a file', 'a subdir'),
  );
}

/** Mode and owner of a layer's root when nobody has changed it. */
export function freshRoot(facts: SubjectFacts): Applier {
  const owner = [process.getuid?.() ?? 0, process.getgid?.() ?? 0] as const;
  return attributes('', { mode: 0o755, owner: facts.root ? [0, 0] : owner });
}

/** `count` files of 64 bytes, a hundred to a directory. */
export function manyFiles(count: number, seed: number): Applier {
  const files = Array.from({ length: count }, (_, index) =>
    file(manyFilesPath(index), randomContent(64, seed + index)),
  );
  return tree(...files);
}

export function manyFilesPath(index: number): string {
  return `directory-${Math.floor(index / 100)}/file-${index}`;
}

/** `A /path`, as `docker diff` shows changes, sorted. */
export function shownChanges(changes: readonly Change[]): readonly string[] {
  return changes
    .map((change) => `${CHANGE_LETTER[change.kind]} ${Buffer.from(change.path).toString()}`)
    .sort();
}

/** Names in a directory without what a file system puts there itself. */
export async function visibleNames(root: string, below = ''): Promise<readonly string[]> {
  const names = await readdir(path.join(root, below));
  return names.filter((name) => below !== '' || name !== 'lost+found').sort();
}

/** One layer of a deep chain: says which it is, and which is below it. */
export function chainLayer(index: number): Applier {
  return tree(
    file('top-id', idOf(index)),
    file(`layer-${index}/layer-id`, idOf(index)),
    file(`layer-${index}/parent-id`, index === 0 ? '' : idOf(index - 1)),
  );
}

/** Makes layers `chain-0` … on top of each other, and gives the id of the last. */
export async function createChain(driver: Driver, count: number, signal: AbortSignal): Promise<string> {
  for (let index = 0; index < count; index++) {
    signal.throwIfAborted();
    await driver.create(idOf(index), index === 0 ? undefined : idOf(index - 1));
    await edit(driver, idOf(index), chainLayer(index));
  }
  return idOf(count - 1);
}

function idOf(index: number): string {
  return `chain-${index}`;
}
