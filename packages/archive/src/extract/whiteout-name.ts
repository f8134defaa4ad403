/** Names that are not files but say what a layer deletes (OCI image-spec layer.md; spec/layer-archive.md 4.6). */
import { LayerStoreError } from '../errors.js';
import { baseStart, shownName } from './entry-name.js';

const PREFIX: Uint8Array = Buffer.from('.wh.');
const OPAQUE: Uint8Array = Buffer.from('.wh..wh..opq');
const METADATA_PREFIX: Uint8Array = Buffer.from('.wh..wh.');
const PLINK_DIRECTORY: Uint8Array = Buffer.from('.wh..wh.plnk');
const DOT = 0x2e;
const SLASH = 0x2f;

/** `whiteout`: the rest of the name is deleted; `opaque`: the directory hides all lower content. */
export type NameRole = 'ordinary' | 'whiteout' | 'opaque';

/**
 * @param path a clean name
 * @throws ARCHIVE_INVALID_WHITEOUT for `.wh.`, `.wh..` and `.wh...`: nothing, the directory itself, its parent
 */
export function roleOf(path: Uint8Array): NameRole {
  const base = baseStart(path);
  if (!startsWithAt(path, PREFIX, base)) return 'ordinary';
  const length = path.length - base;
  if (length === OPAQUE.length && startsWithAt(path, OPAQUE, base)) return 'opaque';
  const rest = base + PREFIX.length;
  const dots =
    rest === path.length ||
    (path[rest] === DOT &&
      (rest + 1 === path.length || (path[rest + 1] === DOT && rest + 2 === path.length)));
  if (!dots) return 'whiteout';
  const shown = shownName(path);
  throw new LayerStoreError(
    'ARCHIVE_INVALID_WHITEOUT',
    `whiteout "${shown}" names nothing, its own directory or its parent; do not trust this archive`,
    { path: shown },
  );
}

/** The path that a whiteout deletes. */
export function whiteoutTarget(path: Uint8Array): Uint8Array {
  const base = baseStart(path);
  const target = new Uint8Array(path.length - PREFIX.length);
  target.set(path.subarray(0, base));
  target.set(path.subarray(base + PREFIX.length), base);
  return target;
}

/** AUFS's own files at the top of a branch: `.wh..wh.aufs`, `.wh..wh.orph`, `.wh..wh.plnk`… but not the opaque mark. */
export function isAufsMetadata(path: Uint8Array): boolean {
  return (
    startsWithAt(path, METADATA_PREFIX, 0) &&
    !(path.length === OPAQUE.length && startsWithAt(path, OPAQUE, 0))
  );
}

/** Something in AUFS's directory of hard link sources. */
export function isPlink(path: Uint8Array): boolean {
  return startsWithAt(path, PLINK_DIRECTORY, 0) && path[PLINK_DIRECTORY.length] === SLASH;
}

/** True for a component that an aufs branch keeps for itself. */
export function isMarkName(name: Uint8Array, start: number): boolean {
  return startsWithAt(name, PREFIX, start);
}

function startsWithAt(bytes: Uint8Array, prefix: Uint8Array, at: number): boolean {
  if (bytes.length - at < prefix.length) return false;
  for (let index = 0; index < prefix.length; index++) if (bytes[at + index] !== prefix[index]) return false;
  return true;
}
