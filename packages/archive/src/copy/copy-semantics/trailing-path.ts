/** A path's trailing `/` or `/.` means "the directory itself" to `docker cp`, and survives here what cleans paths. */
import { posix } from 'node:path';

/** The last component is `.`. */
export function specifiesCurrentDirectory(path: string): boolean {
  return posix.basename(path) === '.' || path === '.' || path.endsWith('/.');
}

export function hasTrailingSeparator(path: string): boolean {
  return path.length > 0 && path.endsWith('/');
}

/** The path can only be a directory: it ends in `/` or `/.`. */
export function assertsDirectory(path: string): boolean {
  return hasTrailingSeparator(path) || specifiesCurrentDirectory(path);
}

/** Without repeated or trailing slashes, `.` and `..`. */
export function cleanHostPath(path: string): string {
  const normal = posix.normalize(path === '' ? '.' : path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** Gives a cleaned path back the `/.` or `/` that the original ended with. */
export function preserveTrailingDotOrSeparator(cleaned: string, original: string): string {
  let path = cleaned;
  if (!specifiesCurrentDirectory(path) && specifiesCurrentDirectory(original)) {
    path = hasTrailingSeparator(path) ? `${path}.` : `${path}/.`;
  }
  if (!hasTrailingSeparator(path) && hasTrailingSeparator(original)) path = `${path}/`;
  return path;
}

/** Directory and last entry of a cleaned path; a trailing `/.` counts as an entry `.` of the directory. */
export function splitPathDirEntry(path: string): { readonly directory: string; readonly base: string } {
  const cleaned = cleanHostPath(path);
  if (specifiesCurrentDirectory(path)) return { directory: cleaned, base: '.' };
  return { directory: posix.dirname(cleaned), base: posix.basename(cleaned) };
}
