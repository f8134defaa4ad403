import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { AufsBranch } from '../mount/branch.js';
import {
  type BranchDirectory,
  branchesBelow,
  branchTops,
  childOf,
  isHiddenName,
  OPAQUE_MARK,
  visibleNames,
  whiteoutOf,
} from './branch-directory.js';
import { ObjectCopy } from './object-copy.js';
import type { TreeSnapshot } from './tree-snapshot.js';

const MARK_MODE = 0o444;

/** What was done in a merged directory since it was looked at. Latin-1 paths, sorted: a parent comes before what is in it. */
export interface MergedEdits {
  /** Topmost paths that are gone, or where another kind of object or another directory is now. */
  readonly deleted: readonly string[];
  /** Paths to copy up, their parents included. */
  readonly changed: readonly string[];
  readonly rootChanged: boolean;
}

/** Compares two looks at a merged directory. Pure. */
export function editsBetween(before: TreeSnapshot, now: TreeSnapshot): MergedEdits {
  const deleted = new Set<string>();
  const changed = new Set<string>();
  // A parent comes before what is in it.
  for (const [path, object] of before) {
    if (path === '') continue;
    const other = now.get(path);
    const kept = other !== undefined && other.directory === object.directory;
    const replaced = kept && object.directory && other.inode !== object.inode;
    if ((!kept || replaced) && !isBelow(path, deleted)) deleted.add(path);
  }
  for (const [path, object] of now) {
    // Nobody can make a hidden name in a union (EPERM): here it is as if it had never been.
    if (path === '' || path.split('/').some(isHiddenName)) continue;
    const old = before.get(path);
    const same = old?.inode === object.inode && old.state === object.state;
    if (!same || isBelow(path, deleted)) changed.add(path);
  }
  for (const path of [...deleted, ...changed]) for (const parent of parentsOf(path)) changed.add(parent);
  return {
    deleted: [...deleted].sort(),
    changed: [...changed].sort(),
    rootChanged: before.get('')?.state !== now.get('')?.state,
  };
}

/**
 * Writes edits into the branch that is written to, as aufs would have done when they were made: files and their parents are
 * copied up whole, what is gone from lower branches gets a whiteout, a directory that took the place of one is opaque.
 */
export function writeBack(merged: string, branches: readonly AufsBranch[], edits: MergedEdits): void {
  const [top] = branches;
  if (top === undefined) return;
  const lower = branchTops(branches.slice(1));
  const root = Buffer.from(top.path);
  const source = Buffer.from(merged);
  const copy = new ObjectCopy();
  const directories = edits.changed.filter((path) => lstatSync(childOf(source, path)).isDirectory());
  const isDirectory = new Set(directories);

  for (const path of edits.deleted) rmSync(childOf(root, path), { recursive: true, force: true });
  for (const path of edits.changed) {
    if (isDirectory.has(path))
      ensureDirectory(root, path, edits.deleted.includes(path) && shows(lower, path));
  }
  for (const path of edits.deleted) {
    if (!edits.changed.includes(path) && shows(lower, path)) makeMark(markFor(root, path));
  }
  for (const path of edits.changed) {
    if (isDirectory.has(path)) continue;
    const target = childOf(root, path);
    rmSync(target, { recursive: true, force: true });
    rmSync(markFor(root, path), { force: true });
    copy.copy(childOf(source, path), target);
  }
  // Deepest first: what is made in a directory moves its times.
  for (const path of directories.toReversed())
    copy.copyAttributes(childOf(source, path), childOf(root, path));
  if (edits.rootChanged) copy.copyAttributes(source, root);
}

/** Copies up a directory without what is in it; opaque where it takes the place of one that a whiteout hid. */
function ensureDirectory(root: Buffer, path: string, replaces: boolean): void {
  const target = childOf(root, path);
  if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true) return;
  rmSync(target, { force: true });
  mkdirSync(target);
  const mark = markFor(root, path);
  const whitedOut = lstatSync(mark, { throwIfNoEntry: false }) !== undefined;
  if (whitedOut) rmSync(mark);
  if (whitedOut || replaces) makeMark(childOf(target, OPAQUE_MARK));
}

function makeMark(path: Buffer): void {
  writeFileSync(path, '', { mode: MARK_MODE });
}

function markFor(root: Buffer, path: string): Buffer {
  const slash = path.lastIndexOf('/') + 1;
  return childOf(root, path.slice(0, slash) + whiteoutOf(path.slice(slash)));
}

/** Whether the branches, top first, show something at the path. */
function shows(branches: readonly BranchDirectory[], path: string): boolean {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  let merged = [...branches];
  for (const part of parts) merged = branchesBelow(merged, part);
  return visibleNames(merged).has(name);
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function isBelow(path: string, ancestors: ReadonlySet<string>): boolean {
  return ancestors.has(path) || parentsOf(path).some((parent) => ancestors.has(parent));
}
