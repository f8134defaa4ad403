/**
 * Names of archive entries as bytes, made lexically clean (spec/layer-archive.md 4.5). Cleaning is only the first line of
 * defence: what a clean name means is decided on the file system, by the executor.
 */
import { LayerStoreError } from '../errors.js';
import { displayName, nameOf } from '../root/byte-name.js';

const SLASH = 0x2f;
const DOT = 0x2e;
/** PATH_MAX is 4096 with the NUL. */
const MAX_NAME_BYTES = 4095;
const MAX_COMPONENT_BYTES = 255;
const EMPTY: Uint8Array = new Uint8Array(0);

// Loops all over this file: names are short, and `indexOf` of a typed array leaves compiled code.

/** Where the last component begins. */
export function baseStart(path: Uint8Array): number {
  let start = path.length;
  while (start > 0 && path[start - 1] !== SLASH) start--;
  return start;
}

/** Everything before the last component; empty at the top. */
export function directoryOf(path: Uint8Array): Uint8Array {
  return path.subarray(0, Math.max(0, baseStart(path) - 1));
}

/** Number of components; 0 for the root. */
export function depthOf(path: Uint8Array): number {
  if (path.length === 0) return 0;
  let depth = 1;
  for (let at = 0; at < path.length; at++) if (path[at] === SLASH) depth++;
  return depth;
}

export function isAbsolute(name: Uint8Array): boolean {
  return name[0] === SLASH;
}

/** True when the name has a `..` component or ends in a slash: as it stands it may not lead to the file it names. */
export function isIndirect(name: Uint8Array): boolean {
  return name[name.length - 1] === SLASH || hasComponent(name, isDotDot);
}

/** True when the test holds for the bytes of some component. */
export function hasComponent(
  name: Uint8Array,
  test: (name: Uint8Array, start: number, end: number) => boolean,
): boolean {
  let start = 0;
  for (let at = 0; at <= name.length; at++) {
    if (at < name.length && name[at] !== SLASH) continue;
    if (at > start && test(name, start, at)) return true;
    start = at + 1;
  }
  return false;
}

/**
 * Leading slashes stripped, `.`, `..` and empty components resolved. Empty for the root. May share memory with `name`.
 * @throws ARCHIVE_BREAKOUT when `..` leads above the root
 * @throws ARCHIVE_INVALID_NAME for NUL, more than 4095 bytes, a component over 255 bytes
 */
export function cleanName(name: Uint8Array): Uint8Array {
  let start = 0;
  let end = name.length;
  // The two usual decorations, `./` before and `/` after, need no copy.
  for (;;) {
    if (name[start] === SLASH) start++;
    else if (name[start] === DOT && name[start + 1] === SLASH) start += 2;
    else break;
  }
  while (end > start && name[end - 1] === SLASH) end--;
  let component = start;
  for (let at = start; at <= end; at++) {
    const byte = at === end ? SLASH : name[at];
    if (byte === 0) throw invalidName(name, 'contains NUL');
    if (byte !== SLASH) continue;
    const length = at - component;
    if (length > MAX_COMPONENT_BYTES) throw invalidName(name, `has a component of ${length} bytes, over 255`);
    if (end > start && (length === 0 || isDot(name, component, at) || isDotDot(name, component, at))) {
      return checkedLength(name, cleanSlowly(name));
    }
    component = at + 1;
  }
  return checkedLength(name, start === 0 && end === name.length ? name : name.subarray(start, end));
}

/**
 * The name under which tar-split's readers look for duplicates, of a name that need not be usable: lexically clean, leading
 * `..` kept (spec/layer-archive.md 3.4). The leading slash, which tells names apart there, is left to the caller.
 */
export function duplicateKey(name: Uint8Array): Uint8Array {
  const kept: string[] = [];
  const absolute = isAbsolute(name);
  for (const part of nameOf(name).split('/')) {
    if (part === '' || part === '.') continue;
    const last = kept[kept.length - 1];
    if (part !== '..' || (last === undefined ? !absolute : last === '..')) kept.push(part);
    else kept.pop();
  }
  return Buffer.from(kept.join('/'), 'latin1');
}

function cleanSlowly(name: Uint8Array): Uint8Array {
  const kept: string[] = [];
  for (const part of nameOf(name).split('/')) {
    if (part === '' || part === '.') continue;
    if (part.includes('\0')) throw invalidName(name, 'contains NUL');
    if (part.length > MAX_COMPONENT_BYTES) {
      throw invalidName(name, `has a component of ${part.length} bytes, over 255`);
    }
    if (part !== '..') kept.push(part);
    else if (kept.pop() === undefined) throw breakout(name);
  }
  return kept.length === 0 ? EMPTY : Buffer.from(kept.join('/'), 'latin1');
}

function checkedLength(name: Uint8Array, clean: Uint8Array): Uint8Array {
  if (clean.length > MAX_NAME_BYTES)
    throw invalidName(name, `has ${clean.length} bytes, over ${MAX_NAME_BYTES}`);
  return clean;
}

function isDot(name: Uint8Array, start: number, end: number): boolean {
  return end - start === 1 && name[start] === DOT;
}

function isDotDot(name: Uint8Array, start: number, end: number): boolean {
  return end - start === 2 && name[start] === DOT && name[start + 1] === DOT;
}

/** A name for messages: readable, bounded. */
export function shownName(name: Uint8Array): string {
  const text = displayName(nameOf(name));
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function invalidName(name: Uint8Array, what: string): LayerStoreError {
  const path = shownName(name);
  return new LayerStoreError(
    'ARCHIVE_INVALID_NAME',
    `entry name ${JSON.stringify(path)} ${what}; rebuild the archive`,
    {
      path,
    },
  );
}

function breakout(name: Uint8Array): LayerStoreError {
  const path = shownName(name);
  return new LayerStoreError(
    'ARCHIVE_BREAKOUT',
    `entry name ${JSON.stringify(path)} leads above the extraction root; do not trust this archive`,
    { path },
  );
}
