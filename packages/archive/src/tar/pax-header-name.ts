/**
 * The name of the block that carries pax records, for readers that do not know pax and would extract it: as Go's writer
 * makes it, `<dir>/PaxHeaders.0/<base>`, because layer digests depend on it (spec/layer-archive.md 4.4).
 */
import { latin1 } from './bytes.js';
import { NAME_LENGTH } from './layout.js';

const DIRECTORY = 'PaxHeaders.0';

/** At most 100 ASCII characters without a slash at the end. */
export function paxHeaderName(name: Uint8Array): string {
  const path = latin1(name);
  const slash = path.lastIndexOf('/');
  const directory = path.slice(0, slash + 1);
  const base = path.slice(slash + 1);
  return rawFileName(lexicalClean([directory, DIRECTORY, base].filter((part) => part !== '').join('/')));
}

/** What fits the name field of an extended header: ASCII without NUL, cut to 100, without slashes at the end. */
export function rawFileName(name: string): string {
  const ascii = name.replace(/[\0\x80-\uffff]/g, '');
  return ascii.slice(0, NAME_LENGTH).replace(/\/+$/, '');
}

/** The shortest equal path, without looking at any file system: no `//`, no `.`, `..` only at the start of a relative path. */
function lexicalClean(path: string): string {
  const rooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    const canGoUp = parts.length > 0 && parts[parts.length - 1] !== '..';
    if (part !== '..') parts.push(part);
    else if (canGoUp) parts.pop();
    else if (!rooted) parts.push(part);
  }
  const clean = (rooted ? '/' : '') + parts.join('/');
  return clean === '' ? '.' : clean;
}
