/** One directory of one layer, its deletions told apart from its content. */
import { type FileStat, isDirectory, isOverlayWhiteout, S_IFCHR } from '../root/file-stat.js';
import { ioError } from '../root/io-error.js';
import type { OpenDirectory } from '../root/root-directory.js';
import type { XattrSource } from '../root/xattr-source.js';

const WHITEOUT_PREFIX = '.wh.';
const META_PREFIX = '.wh..wh.';
const OPAQUE_MARKER = '.wh..wh..opq';

/** How the layers of a stack express deletions; `attribute` marks opaque directories of an overlay. */
export type LayerFormat =
  | { readonly kind: 'aufs' }
  | { readonly kind: 'overlay'; readonly attribute: 'trusted.overlay.opaque' | 'user.overlay.opaque' };

/** A layer: where its attributes come from, and how it deletes. */
export interface LayerAccess {
  readonly format: LayerFormat;
  readonly xattrs: XattrSource;
}

/** What a layer says about one directory. */
export interface LayerDirectory {
  readonly layer: LayerAccess;
  readonly directory: OpenDirectory;
  readonly path: string;
  /** Content, sorted bytewise; deletions and bookkeeping left out. */
  readonly names: readonly string[];
  readonly present: ReadonlySet<string>;
  /** Names deleted from the layers below. */
  readonly deleted: ReadonlySet<string>;
  /** Nothing of the layers below shows through. */
  readonly opaque: boolean;
}

/** Lists an open directory of a layer. @throws ARCHIVE_IO */
export function readLayerDirectory(
  layer: LayerAccess,
  directory: OpenDirectory,
  path: string,
): LayerDirectory {
  const names: string[] = [];
  const deleted = new Set<string>();
  let opaque =
    layer.format.kind === 'overlay' && hasOpaqueAttribute(layer, directory, path, layer.format.attribute);
  try {
    for (const { name, type } of directory.list()) {
      if (layer.format.kind === 'aufs' && name.startsWith(WHITEOUT_PREFIX)) {
        if (name === OPAQUE_MARKER) opaque = true;
        // In the layer's root aufs keeps its own files under this prefix; deeper it is a whiteout like any other.
        else if (path !== '' || !name.startsWith(META_PREFIX))
          deleted.add(name.slice(WHITEOUT_PREFIX.length));
      } else if (
        layer.format.kind === 'overlay' &&
        (type === S_IFCHR || type === 0) &&
        isOverlayWhiteout(directory.lstat(name))
      ) {
        deleted.add(name);
      } else {
        names.push(name);
      }
    }
  } catch (error) {
    throw ioError(error, 'list the directory', path);
  }
  return { layer, directory, path, names, present: new Set(names), deleted, opaque };
}

function hasOpaqueAttribute(
  layer: LayerAccess,
  directory: OpenDirectory,
  path: string,
  attribute: string,
): boolean {
  const value = layer.xattrs.value(directory, '.', path, directory.fd, attribute);
  return value !== undefined && Buffer.from(value).toString('latin1') === 'y';
}

/** An object of a lower layer, as seen from above. */
export interface LowerObject {
  readonly holder: LayerDirectory;
  readonly stat: FileStat;
}

/**
 * The object that shows at `name` through the layers of one directory, given top first. A deletion or an opaque
 * directory on the way ends the search, and no link is followed.
 * @throws ARCHIVE_IO
 */
export function visibleObject(lowers: readonly LayerDirectory[], name: string): LowerObject | undefined {
  for (const holder of lowers) {
    if (holder.present.has(name)) {
      try {
        return { holder, stat: holder.directory.lstat(name) };
      } catch (error) {
        throw ioError(error, 'stat', holder.path);
      }
    }
    if (holder.deleted.has(name) || holder.opaque) return undefined;
  }
  return undefined;
}

/** All names that show through the layers of one directory, given top first. */
export function visibleNames(lowers: readonly LayerDirectory[]): ReadonlySet<string> {
  const visible = new Set<string>();
  const hidden = new Set<string>();
  for (const { names, deleted, opaque } of lowers) {
    for (const name of names) if (!hidden.has(name)) visible.add(name);
    if (opaque) break;
    for (const name of deleted) if (!visible.has(name)) hidden.add(name);
  }
  return visible;
}

/**
 * The directories that merge at `name`, top first, opened; the caller closes them.
 * @throws ARCHIVE_IO
 */
export function openLowers(lowers: readonly LayerDirectory[], name: string, path: string): LayerDirectory[] {
  const opened: LayerDirectory[] = [];
  try {
    for (const holder of lowers) {
      if (holder.present.has(name)) {
        // Anything but a directory hides what is below it.
        if (!isDirectory(holder.directory.lstat(name))) break;
        const directory = holder.directory.openDirectory(name);
        try {
          opened.push(readLayerDirectory(holder.layer, directory, path));
        } catch (error) {
          directory.close();
          throw error;
        }
        if (opened.at(-1)?.opaque === true) break;
      }
      if (holder.deleted.has(name) || holder.opaque) break;
    }
    return opened;
  } catch (error) {
    for (const { directory } of opened) directory.close();
    throw ioError(error, 'open the directory', path);
  }
}
