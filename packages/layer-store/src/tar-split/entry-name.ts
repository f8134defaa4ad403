import { Buffer } from 'node:buffer';

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * An entry name as the file getter joins it to the layer directory (spec/layer-archive.md 3.7): relative, lexically clean,
 * `..` never above the root. A view of `name` where nothing has to change.
 */
export function pathInLayer(name: Buffer): Buffer {
  let start = 0;
  let end = name.length;
  while (name[start] === SLASH || (name[start] === DOT && name[start + 1] === SLASH)) start++;
  while (end > start && name[end - 1] === SLASH) end--;
  if (isClean(name, start, end)) return name.subarray(start, end);
  const path: string[] = [];
  for (const part of name.toString('latin1').split('/')) {
    if (part === '..') path.pop();
    else if (part !== '' && part !== '.') path.push(part);
  }
  return Buffer.from(path.join('/'), 'latin1');
}

function isClean(name: Buffer, start: number, end: number): boolean {
  let previous = SLASH;
  for (let at = start; at < end; at++) {
    const byte = name[at] as number;
    // A component that begins with '.' is rare enough to be left to the slow path whatever it is.
    if (previous === SLASH && (byte === SLASH || byte === DOT)) return false;
    previous = byte;
  }
  return true;
}

/**
 * The key under which Docker's reader refuses a second entry: Go's `path.Clean` of the name, as latin-1. Unlike
 * {@link pathInLayer} it tells `/a` from `a` and keeps a leading `..` of a relative name.
 */
export function duplicateKey(name: Uint8Array): string {
  const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
  const rooted = text.startsWith('/');
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!rooted) parts.push('..');
  }
  const clean = parts.join('/');
  if (rooted) return `/${clean}`;
  return clean === '' ? '.' : clean;
}
