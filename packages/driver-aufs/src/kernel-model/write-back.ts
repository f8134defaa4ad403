import { chmod, chown, lstat, rm, utimes } from 'node:fs/promises';
import { applyLayer, type Change, exportChanges, RootDirectory } from '@x/archive';
import type { AufsBranch } from '../mount/branch.js';
import type { TreeSnapshot } from './tree-snapshot.js';

const WHITEOUT_PREFIX = '.wh.';
const OPAQUE_MARK = '.wh..wh..opq';

/** What was done in a merged directory since it was looked at. Latin-1 paths. */
export interface MergedEdits {
  /** Topmost paths that are gone, or were replaced by another object of the kind a whiteout comes before. */
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
    const old = before.get(path);
    if (path === '' || isHiddenName(path)) continue;
    const same = old?.inode === object.inode && old.state === object.state;
    if (same && !isBelow(path, deleted)) continue;
    changed.add(path);
  }
  for (const path of [...deleted, ...changed]) for (const parent of parentsOf(path)) changed.add(parent);
  return {
    deleted: [...deleted],
    changed: [...changed],
    rootChanged: before.get('')?.state !== now.get('')?.state,
  };
}

/**
 * Writes edits into the branch that is written to, as aufs would have done when they were made: files and their parents are
 * copied up whole, what is gone from lower branches gets a whiteout, a directory that took the place of one is opaque.
 */
export async function writeBack(
  merged: string,
  branches: readonly AufsBranch[],
  edits: MergedEdits,
): Promise<void> {
  const [top, ...lower] = branches;
  if (top === undefined) return;
  if (edits.deleted.length > 0) {
    const parents = new Set(edits.deleted.flatMap(parentsOf));
    await apply(top.path, merged, [
      ...[...parents].map((path) => change('modify', path)),
      ...edits.deleted.map((path) => change('delete', path)),
    ]);
    for (const path of edits.deleted) if (!showsIn(lower, path)) await dropWhiteout(top.path, path);
  }
  if (edits.changed.length > 0) {
    await apply(
      top.path,
      merged,
      edits.changed.map((path) => change('add', path)),
    );
  }
  if (edits.rootChanged) await copyRootAttributes(merged, top.path);
}

function apply(branch: string, merged: string, changes: readonly Change[]): Promise<unknown> {
  return applyLayer(exportChanges(merged, changes, { subSecondTimes: true }), branch, { whiteouts: 'aufs' });
}

function change(kind: Change['kind'], path: string): Change {
  return { kind, path: Buffer.from(`/${path}`, 'latin1') };
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function isBelow(path: string, ancestors: ReadonlySet<string>): boolean {
  return ancestors.has(path) || parentsOf(path).some((parent) => ancestors.has(parent));
}

/** aufs refuses to make such a name (EPERM); in this directory nobody could, so it is as if it had never been. */
function isHiddenName(path: string): boolean {
  return path.split('/').some((name) => name.startsWith(WHITEOUT_PREFIX));
}

/** Whether any of the branches, top first, shows something at the path. */
function showsIn(branches: readonly AufsBranch[], path: string): boolean {
  const parts = path.split('/');
  for (const branch of branches) {
    const found = lookIn(branch.path, parts);
    if (found !== 'below') return found === 'shows';
  }
  return false;
}

/** `below`: this branch says nothing about the path, the next decides. */
function lookIn(branch: string, parts: readonly string[]): 'shows' | 'hidden' | 'below' {
  const root = RootDirectory.open(branch);
  let directory = root.top;
  let result: 'shows' | 'hidden' | 'below' = 'shows';
  for (const [index, name] of parts.entries()) {
    const names = new Map(directory.list().map((entry) => [entry.name, entry]));
    const hides = names.has(WHITEOUT_PREFIX + name) || names.has(OPAQUE_MARK);
    if (!names.has(name)) {
      result = hides ? 'hidden' : 'below';
      break;
    }
    if (index === parts.length - 1) break;
    if ((directory.lstat(name).mode & 0o170000) !== 0o040000) {
      result = 'hidden';
      break;
    }
    const next = directory.openDirectory(name);
    if (directory !== root.top) directory.close();
    directory = next;
  }
  if (directory !== root.top) directory.close();
  root.top.close();
  return result;
}

/** There is nothing below that it could hide: aufs just removes the file. */
async function dropWhiteout(branch: string, path: string): Promise<void> {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  const mark = [...parts, WHITEOUT_PREFIX + name].join('/');
  await rm(Buffer.from(`${Buffer.from(branch).toString('latin1')}/${mark}`, 'latin1'), { force: true });
}

async function copyRootAttributes(from: string, to: string): Promise<void> {
  const { mode, uid, gid, atime, mtime } = await lstat(from);
  await chown(to, uid, gid);
  await chmod(to, mode & 0o7777);
  await utimes(to, atime, mtime);
}
