/** Finds where the walk of one include begins. */
import { readlinkSync } from 'node:fs';
import { LayerStoreError } from '../errors.js';
import { baseName, displayName, nameBytes, nameOfText, parentName } from '../root/byte-name.js';
import { type FileStat, isDirectory, S_IFMT } from '../root/file-stat.js';
import { ioError } from '../root/io-error.js';
import type { OpenDirectory, RootDirectory } from '../root/root-directory.js';
import { cleanPath } from './pattern.js';

/** Both hold descriptors that the caller closes. */
export type IncludeRoot =
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly treePath: string;
      readonly directory: OpenDirectory;
    }
  | {
      readonly kind: 'object';
      readonly path: string;
      readonly treePath: string;
      readonly parent: OpenDirectory;
      readonly name: string;
      readonly type: number;
    };

/**
 * `source/include`, joined without cleaning, so that a trailing `/` or `/.` still means what a link points to. The
 * lookup resolves links inside the root; the name in the archive is the include, cleaned.
 * @throws ARCHIVE_INVALID_NAME when the include climbs out of the source, ARCHIVE_IO when it does not exist
 */
export function openInclude(root: RootDirectory, source: string, include: string): IncludeRoot {
  const path = cleanPath(nameOfText(include)).replace(/^\/+/, '') || '.';
  if (path === '..' || path.startsWith('../')) {
    throw new LayerStoreError(
      'ARCHIVE_INVALID_NAME',
      `include "${include}" leads out of the directory to archive`,
      {
        path: include,
      },
    );
  }
  const lookup = nameOfText(`${source}/${include}`);
  if (path === '.' || lookup.endsWith('/') || lookup.endsWith('/.') || baseName(lookup) === '..') {
    const directory = root.directory(nameBytes(lookup));
    return { kind: 'directory', path, treePath: treePathOf(root, directory), directory };
  }
  const parent = root.directory(nameBytes(parentName(lookup)));
  const name = baseName(lookup);
  try {
    const stat: FileStat = parent.lstat(name);
    const above = treePathOf(root, parent);
    const treePath = above === '' ? name : `${above}/${name}`;
    if (!isDirectory(stat)) return { kind: 'object', path, treePath, parent, name, type: stat.mode & S_IFMT };
    const directory = parent.openDirectory(name);
    parent.close();
    return { kind: 'directory', path, treePath, directory };
  } catch (error) {
    parent.close();
    throw ioError(error, 'archive', displayName(lookup));
  }
}

/** Where an open directory really lies below the root, links resolved: the key getfattr's listing uses. */
function treePathOf(root: RootDirectory, directory: OpenDirectory): string {
  const [top, here] = [root.top.fd, directory.fd].map((fd) =>
    readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }),
  );
  if (top === undefined || here === undefined || top === here) return '';
  return here.startsWith(top === '/' ? top : `${top}/`) ? here.slice(top === '/' ? 1 : top.length + 1) : '';
}
