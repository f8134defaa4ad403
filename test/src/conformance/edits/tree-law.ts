import { isEqual } from '../structure.js';
import type { TreeEntry, TreeSnapshot } from '../tree-snapshot.js';

/*
 * What the contract says of trees, worked out from snapshots alone and without a line of the code it is to judge
 * (spec/layer-archive.md 4.10).
 */

const NS_PER_SECOND = 1_000_000_000n;

/** What turned `older` into `newer`: `A /path`, `C /path`, `D /path`, by path. */
export function changesOf(newer: TreeSnapshot, older: TreeSnapshot): readonly string[] {
  const [now, before] = [byPath(newer), byPath(older)];
  const letters = new Map<string, 'A' | 'C' | 'D'>();
  for (const [path, entry] of now) {
    const was = before.get(path);
    if (was === undefined) letters.set(path, 'A');
    else if (differs(entry, was)) letters.set(path, 'C');
  }
  for (const path of before.keys()) {
    const holder = parentOf(path);
    const top = holder === '/' || now.get(holder)?.kind === 'directory';
    // What was in a directory that is none any more went with it.
    if (!now.has(path) && top) letters.set(path, 'D');
  }
  for (const path of [...letters.keys()]) {
    for (let above = parentOf(path); above !== '/'; above = parentOf(above)) {
      if (!letters.has(above)) letters.set(above, 'C');
    }
  }
  return [...letters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, letter]) => `${letter} ${path}`);
}

/**
 * The tree that a layer gives which says what turned into `newer`, applied on `below`. What did not change stays as it is there; a
 * file that is linked to a changed one but did not change itself is not in the layer, so the two become two.
 */
export function afterLayer(
  below: TreeSnapshot,
  newer: TreeSnapshot,
  changes: readonly string[],
): TreeSnapshot {
  const changed = new Set(changes.map((line) => line.slice(2)));
  const beneath = byPath(below);
  const entries = [...byPath(newer).values()].map((entry) => {
    const kept = changed.has(entry.path) ? undefined : beneath.get(entry.path);
    const { link, ...taken } = kept ?? entry;
    // Groups of the two trees are told apart; withTrueLinks gives them names again.
    return link === undefined ? taken : { ...taken, link: `${kept === undefined ? 'new' : 'old'} ${link}` };
  });
  return withTrueLinks({ root: newer.root, entries, cut: newer.cut });
}

/** Hard-link groups as far as they lie in the tree, each by its first name. The root's own entry is left out. */
export function withTrueLinks(snapshot: TreeSnapshot): TreeSnapshot {
  const groups = new Map<string, string[]>();
  for (const { path, link } of snapshot.entries) {
    if (link !== undefined) groups.set(link, [...(groups.get(link) ?? []), path]);
  }
  const entries = snapshot.entries
    .filter(({ path }) => path !== '/')
    .map(({ link, ...entry }) => {
      const names = link === undefined ? [] : (groups.get(link) ?? []).sort();
      const [first] = names;
      return names.length < 2 || first === undefined ? entry : { ...entry, link: first };
    });
  return { ...snapshot, entries };
}

/**
 * Times as far as a diff need keep them: to the second (Docker's says no more), and none before the epoch, to which unpacking moves
 * them (spec/layer-archive.md 4.5).
 */
export function withLayerTimes(snapshot: TreeSnapshot): TreeSnapshot {
  const entries = snapshot.entries.map((entry) =>
    entry.mtime === undefined ? entry : { ...entry, mtime: String(layerTime(BigInt(entry.mtime))) },
  );
  return { ...snapshot, entries };
}

function layerTime(ns: bigint): bigint {
  return ns < 0n ? 0n : ns - (ns % NS_PER_SECOND);
}

function differs(now: TreeEntry, was: TreeEntry): boolean {
  // A directory's time follows from what is in it; links are names, not content.
  const judged = ({ path: _path, link: _link, mtime, ...entry }: TreeEntry): unknown =>
    now.kind === 'directory' ? entry : { ...entry, mtime };
  return !isEqual(judged(now), judged(was));
}

function byPath(snapshot: TreeSnapshot): Map<string, TreeEntry> {
  return new Map(snapshot.entries.filter(({ path }) => path !== '/').map((entry) => [entry.path, entry]));
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
