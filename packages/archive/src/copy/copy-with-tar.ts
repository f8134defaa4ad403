/** Copies that go through an archive: what a tar would carry arrives, no more. */
import { createReadStream } from 'node:fs';
import { chown, mkdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { decompress } from '../compress/index.js';
import { createArchive } from '../create/create-archive.js';
import { LayerStoreError } from '../errors.js';
import { untar } from '../extract/untar.js';
import type { IdMap } from '../idmap/index.js';
import { assertKnownKeys, assertPath, assertSignal, invalidOption } from '../options/validate.js';
import { nameOfText } from '../root/byte-name.js';
import { ioError } from '../root/io-error.js';

export interface TarCopyOptions {
  /** Ids in the trees are the host's on both sides; new directories belong to the mapped root. */
  readonly idMap?: IdMap;
  readonly signal?: AbortSignal;
}

const NEW_DIRECTORY_MODE = 0o755;
const NEW_PARENT_MODE = 0o700;

function check(where: string, source: string, target: string, options: TarCopyOptions): void {
  assertPath(where, 'source', source);
  assertPath(where, 'target', target);
  assertKnownKeys(where, options, ['idMap', 'signal']);
  const { idMap, signal } = options;
  if (idMap !== undefined && typeof idMap?.toHost !== 'function')
    invalidOption(where, 'idMap', 'an IdMap', idMap);
  if (signal !== undefined) assertSignal(where, 'signal', signal);
}

/**
 * Archives directory `source` and unpacks it in directory `target`, which is made if missing.
 * @throws OPTION_INVALID, OPTION_UNKNOWN, ARCHIVE_IO, ARCHIVE_COPY_CONFLICT when `target` is a file, and what
 *   `createArchive` and `untar` throw
 */
export async function tarUntar(source: string, target: string, options: TarCopyOptions = {}): Promise<void> {
  check('tarUntar', source, target, options);
  await makeTarget(target, options);
  await untar(createArchive(source, options), target, options);
}

/**
 * Unpacks the archive file `source`, compressed or not, in directory `target`, which is made if missing.
 * @throws as `tarUntar`, and what `decompress` throws
 */
export async function untarPath(source: string, target: string, options: TarCopyOptions = {}): Promise<void> {
  check('untarPath', source, target, options);
  await statOf(source);
  await makeTarget(target, options);
  await untar(decompress(createReadStream(source)), target, options);
}

/**
 * Copies a directory's content into `target`, made if missing; or a file, as `copyFileWithTar` does.
 * @throws as `tarUntar`
 */
export async function copyWithTar(
  source: string,
  target: string,
  options: TarCopyOptions = {},
): Promise<void> {
  check('copyWithTar', source, target, options);
  if ((await statOf(source)).isDirectory()) await tarUntar(source, target, options);
  else await copyFileWithTar(source, target, options);
}

/**
 * Copies one file to `target`; into it, when it ends with a slash. Missing parents are made with mode 0700.
 * @throws as `tarUntar`; ARCHIVE_COPY_CONFLICT when `source` is a directory
 */
export async function copyFileWithTar(
  source: string,
  target: string,
  options: TarCopyOptions = {},
): Promise<void> {
  check('copyFileWithTar', source, target, options);
  if ((await statOf(source)).isDirectory()) {
    throw new LayerStoreError('ARCHIVE_COPY_CONFLICT', `cannot copy the directory "${source}" as a file`, {
      path: source,
    });
  }
  const destination = target.endsWith('/') ? join(target, basename(source)) : target;
  const parent = dirname(resolve(destination));
  try {
    await mkdir(parent, { recursive: true, mode: NEW_PARENT_MODE });
  } catch (error) {
    throw ioError(error, 'make the directory', nameOfText(parent));
  }
  // The file a link points to is meant, and is looked up in its own directory.
  const file = await realpath(source);
  const name = basename(file);
  const archive = createArchive(dirname(file), {
    ...options,
    includeFiles: [name],
    rebaseNames: new Map([[name, basename(destination)]]),
  });
  await untar(archive, parent, options);
}

async function statOf(path: string): ReturnType<typeof stat> {
  try {
    return await stat(path);
  } catch (error) {
    throw ioError(error, 'copy', nameOfText(path));
  }
}

async function makeTarget(target: string, options: TarCopyOptions): Promise<void> {
  try {
    const made = await mkdir(target, { recursive: true, mode: NEW_DIRECTORY_MODE });
    if (made === undefined || options.idMap === undefined) return;
    const { uid, gid } = options.idMap.rootPair;
    for (let path = resolve(target); ; path = dirname(path)) {
      await chown(path, uid, gid);
      if (path === resolve(made)) return;
    }
  } catch (error) {
    throw ioError(error, 'make the directory', nameOfText(target));
  }
}
