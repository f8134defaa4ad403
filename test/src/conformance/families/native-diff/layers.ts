import {
  chmod,
  link,
  lstat,
  mkdir,
  open,
  rename,
  rm,
  rmdir,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import type { Driver } from '@x/layer-store';
import { layerEntry, layerOf } from '../../layer-bytes.js';

const { directory, file, hardLink, opaque, symbolicLink, whiteout } = layerEntry;

/** `basis`, `middle` and `top`, unpacked on one another, with every way in which a layer takes something away. */
export async function makeWhiteoutLayers(driver: Driver): Promise<void> {
  await driver.create('basis');
  await driver.applyDiff(
    'basis',
    undefined,
    await layerOf(
      directory('etc'),
      file('etc/kept', 'kept'),
      file('etc/gone', 'gone'),
      directory('opaque'),
      file('opaque/hidden', 'hidden'),
      directory('opaque/deep'),
      file('opaque/deep/hidden', 'hidden'),
      directory('to-file'),
      file('to-file/inner', 'inner'),
      file('to-directory', 'file'),
      symbolicLink('to-link', 'etc'),
      file('linked', 'linked'),
      hardLink('linked-too', 'linked'),
    ),
  );
  await driver.create('middle', 'basis');
  await driver.applyDiff(
    'middle',
    'basis',
    await layerOf(
      whiteout('etc/gone'),
      whiteout('never-was'),
      directory('opaque'),
      opaque('opaque'),
      file('opaque/new', 'new'),
      file('to-file', 'file now'),
      directory('to-directory'),
      file('to-directory/inner', 'inner'),
      symbolicLink('to-link', 'opaque'),
      whiteout('linked'),
    ),
  );
  await driver.create('top', 'middle');
  await driver.applyDiff(
    'top',
    'middle',
    await layerOf(
      file('etc/gone', 'back again'),
      directory('opaque'),
      file('opaque/hidden', 'another'),
      whiteout('to-file'),
      directory('to-directory'),
      whiteout('to-directory/inner'),
      whiteout('opaque/new'),
      file('linked', 'a file of its own'),
    ),
  );
}

/** A layer for {@link touchWithoutChange}. */
export async function applyTouchedBase(driver: Driver, id: string): Promise<void> {
  await driver.create(id);
  await driver.applyDiff(
    id,
    undefined,
    await layerOf(
      file('mode', 'mode'),
      file('time', 'time'),
      file('opened', 'opened'),
      file('renamed', 'renamed'),
      file('linked', 'linked'),
      directory('directory'),
      file('directory/kept', 'kept'),
    ),
  );
}

/** Edits that end where they began. A union file system has copied all of it by then. */
export async function touchWithoutChange(root: string): Promise<void> {
  const at = (name: string): string => path.join(root, name);
  await chmod(at('mode'), 0o600);
  await chmod(at('mode'), 0o644);
  const { atime, mtime } = await lstat(at('time'));
  await utimes(at('time'), 1, 1);
  await utimes(at('time'), atime, mtime);
  await (await open(at('opened'), 'r+')).close();
  await rename(at('renamed'), at('elsewhere'));
  await rename(at('elsewhere'), at('renamed'));
  await link(at('linked'), at('second-name'));
  await unlink(at('second-name'));
  await mkdir(at('directory/sub'));
  await rmdir(at('directory/sub'));
  await chmod(at('directory'), 0o700);
  await chmod(at('directory'), 0o755);
}

/** A small edit: a file added, one removed, a directory made again. */
export async function editSomewhat(root: string): Promise<void> {
  await writeFile(path.join(root, 'added'), 'added');
  await rm(path.join(root, 'opened'));
  await rm(path.join(root, 'directory'), { recursive: true });
  await mkdir(path.join(root, 'directory'));
}
