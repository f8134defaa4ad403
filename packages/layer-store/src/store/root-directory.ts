import { chmod, lstat, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import { syncDirectory } from '../kit/files/durable-file.js';

/** Where a store keeps its things. */
export interface StorePaths {
  readonly root: string;
  /** `<root>/image/<driver>/db`: the metadata. */
  readonly database: string;
  /** `<root>/image/<driver>/tar-split`: one file per layer, named by its cache id. */
  readonly tarSplit: string;
  /** `<root>/image/<driver>/staging`: one directory per register under way. */
  readonly staging: string;
}

/**
 * Makes the root, or checks one that is there: a directory of this user with nothing for others to see, since layers hold
 * set-uid programs and other people's files (CVE-2021-41091). A looser mode is tightened, unless the directory holds
 * other things and is clearly not a store. Throws STORE_ROOT_INVALID. Resolves to the path.
 */
export async function prepareRoot(root: string): Promise<string> {
  try {
    await mkdir(path.dirname(root), { recursive: true });
    const made = await mkdirIfMissing(root);
    if (!made) await checkExisting(root);
    return root;
  } catch (error) {
    throw rootFailure(root, error);
  }
}

/** Makes the directories of one driver's metadata. Throws STORE_ROOT_INVALID. */
export async function prepareLayout(root: string, driver: string): Promise<StorePaths> {
  const home = path.join(root, 'image', driver);
  const paths: StorePaths = {
    root,
    database: path.join(home, 'db'),
    tarSplit: path.join(home, 'tar-split'),
    staging: path.join(home, 'staging'),
  };
  try {
    let made = false;
    for (const directory of [path.join(root, 'image'), home, paths.tarSplit, paths.staging]) {
      made = (await mkdirIfMissing(directory)) || made;
    }
    if (made) for (const directory of [home, path.join(root, 'image'), root]) await syncDirectory(directory);
    return paths;
  } catch (error) {
    throw rootFailure(root, error);
  }
}

/** Turns a failed system call on the root into STORE_ROOT_INVALID. */
export function rootFailure(root: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || isCoded(error)) return error;
  const { syscall, path: at } = error as { syscall?: string; path?: string };
  return new LayerStoreError('STORE_ROOT_INVALID', `the store root ${root} cannot be used: ${errno}`, {
    path: at ?? root,
    errno,
    cause: error,
    ...(syscall === undefined ? {} : { syscall }),
  });
}

function isCoded(error: unknown): boolean {
  return error instanceof Object && 'code' in error && /^[A-Z]+_[A-Z_]+$/.test(String(error.code));
}

/** True if it was made, false if a directory was there. */
async function mkdirIfMissing(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  if ((await stat(directory)).isDirectory()) return false;
  throw new LayerStoreError('STORE_ROOT_INVALID', `${directory} is not a directory: give another root`, {
    path: directory,
    errno: 'ENOTDIR',
  });
}

async function checkExisting(root: string): Promise<void> {
  const { uid, mode } = await stat(root);
  const user = process.geteuid?.();
  if (uid !== user) {
    throw new LayerStoreError(
      'STORE_ROOT_INVALID',
      `the store root ${root} belongs to user ${uid}, not to ${user}: give a root of your own`,
      { path: root },
    );
  }
  if ((mode & 0o077) === 0) return;
  const entries = await readdir(root);
  if (entries.length > 0 && !(await looksLikeStore(root))) {
    throw new LayerStoreError(
      'STORE_ROOT_INVALID',
      `${root} is open to other users (mode ${(mode & 0o7777).toString(8)}) and holds other things: give an empty directory, or chmod it to 700`,
      { path: root },
    );
  }
  await chmod(root, 0o700);
}

async function looksLikeStore(root: string): Promise<boolean> {
  const image = await lstat(path.join(root, 'image')).catch(() => undefined);
  return image?.isDirectory() === true;
}
