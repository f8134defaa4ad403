import { constants } from 'node:fs';
import {
  appendFile,
  chmod,
  lchown,
  link,
  lstat,
  mkdir,
  open,
  rename,
  rm,
  symlink,
  truncate,
} from 'node:fs/promises';
import { copyTree, errnoOf } from '@x/archive';
import { setAttributes } from '../appliers/attributes.js';
import { kernel } from '../kernel.js';
import { type Edit, type Fill, fileContent } from './edit.js';

/**
 * Carries out one edit below `root`, as a program in a container would. Whatever gets a new time by it is then given
 * `stampNs`, so that the same edits give the same tree whenever they are done.
 *
 * @throws what the file system calls throw
 */
export async function applyEdit(root: string, edit: Edit, stampNs: bigint): Promise<void> {
  for (const touched of await carryOut(root, edit)) {
    await setAttributes(at(root, touched), { mtime: stampNs });
  }
}

/** Gives the paths whose modification time moved. */
async function carryOut(root: string, edit: Edit): Promise<readonly string[]> {
  switch (edit.kind) {
    case 'create':
      await createFile(root, edit.path, edit.mode, edit.fill);
      return [edit.path, parentOf(edit.path)];
    case 'overwrite': {
      await using handle = await open(at(root, edit.path), 'r+');
      await handle.write(fileContent(edit.fill), 0, edit.fill.size, 0);
      return [edit.path];
    }
    case 'append':
      await appendFile(at(root, edit.path), fileContent(edit.fill));
      return [edit.path];
    case 'truncate':
      await truncate(at(root, edit.path), edit.size);
      return [edit.path];
    case 'directory':
      await createDirectory(root, edit.path, edit.mode);
      return [edit.path, parentOf(edit.path)];
    case 'symlink':
      await symlink(Buffer.from(edit.target, 'latin1'), at(root, edit.path));
      return [edit.path, parentOf(edit.path)];
    case 'link':
      await link(at(root, edit.existing), at(root, edit.path));
      return [parentOf(edit.path)];
    case 'fifo':
      return makeNode(root, edit.path, constants.S_IFIFO, edit.mode);
    case 'device': {
      const type = edit.block ? constants.S_IFBLK : constants.S_IFCHR;
      return makeNode(root, edit.path, type, edit.mode, edit.major, edit.minor);
    }
    case 'rename':
    case 'rename-directory':
    case 'replace':
      await move(at(root, edit.from), at(root, edit.to));
      return [parentOf(edit.from), parentOf(edit.to)];
    case 'remove':
      await remove(at(root, edit.path));
      return [parentOf(edit.path)];
    case 'recreate': {
      const { mode } = await lstat(at(root, edit.path));
      await remove(at(root, edit.path));
      await createDirectory(root, edit.path, mode & 0o7777);
      await createFile(root, below(edit.path, edit.child), 0o644, edit.fill);
      return [below(edit.path, edit.child), edit.path, parentOf(edit.path)];
    }
    case 'directory-to-file':
      await remove(at(root, edit.path));
      await createFile(root, edit.path, edit.mode, edit.fill);
      return [edit.path, parentOf(edit.path)];
    case 'file-to-directory':
      await remove(at(root, edit.path));
      await createDirectory(root, edit.path, edit.mode);
      await createFile(root, below(edit.path, edit.child), 0o644, edit.fill);
      return [below(edit.path, edit.child), edit.path, parentOf(edit.path)];
    case 'mode':
      await chmod(at(root, edit.path), edit.mode);
      return [];
    case 'owner':
      await lchown(at(root, edit.path), edit.uid, edit.gid);
      return [];
    case 'set-xattr':
      await kernel().setXattr(at(root, edit.path), edit.name, Buffer.from(edit.value, 'hex'));
      return [];
    case 'remove-xattr':
      await kernel().removeXattr(at(root, edit.path), edit.name);
      return [];
    case 'times':
      await setAttributes(at(root, edit.path), { mtime: edit.mtimeNs });
      return [];
  }
}

/** The place of an edit's path below a root. */
export function at(root: string, path: string): Buffer {
  return path === ''
    ? Buffer.from(root)
    : Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}

/** `''`, the root, for a name in it. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** A name in a directory, which may be the root (`''`). */
export function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

async function createFile(root: string, path: string, mode: number, fill: Fill): Promise<void> {
  await using handle = await open(at(root, path), 'wx');
  await handle.writeFile(fileContent(fill));
  // The mode given to open is subject to the umask, and has no special bits.
  await handle.chmod(mode);
}

async function createDirectory(root: string, path: string, mode: number): Promise<void> {
  await mkdir(at(root, path));
  await chmod(at(root, path), mode);
}

async function makeNode(
  root: string,
  path: string,
  type: number,
  mode: number,
  major = 0,
  minor = 0,
): Promise<readonly string[]> {
  await kernel().mknod(at(root, path), type | 0o600, major, minor);
  await chmod(at(root, path), mode);
  return [path, parentOf(path)];
}

/** With all it holds. */
function remove(path: Buffer): Promise<void> {
  return rm(path, { recursive: true });
}

async function move(from: Buffer, to: Buffer): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error;
    await rm(to, { recursive: true, force: true });
    await copyDirectory(from, to);
    await remove(from);
  }
}

async function copyDirectory(from: Buffer, to: Buffer): Promise<void> {
  await mkdir(to);
  await using source = await open(from, constants.O_RDONLY | constants.O_DIRECTORY);
  await using target = await open(to, constants.O_RDONLY | constants.O_DIRECTORY);
  // By descriptor: the tree copy takes paths as text, and these names may be any bytes.
  await copyTree(`/proc/self/fd/${source.fd}/.`, `/proc/self/fd/${target.fd}/.`);
}
