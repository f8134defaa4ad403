import { existsSync, lstatSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AT_FDCWD, native } from '@x/native';

const S_IFCHR = 0o020000;
const WHITEOUT_PREFIX = '.wh.';
const OPAQUE_MARKER = '.wh..wh..opq';
/** What the archive package gives them. */
const MARKER_MODE = 0o444;

/** How deletions stand in the layer. */
export interface OpaqueRootOptions {
  readonly whiteouts: 'overlay' | 'aufs';
  readonly userXattr: boolean;
}

/**
 * A layer may make its whole root opaque; overlay takes no notice of that mark in a root, which it always merges. So everything that
 * the layers below have there is deleted by name instead, and directories that the layer has itself are made opaque. A name
 * that no longer shows is deleted once more, which changes nothing.
 */
export function hideBelowOpaqueRoot(
  diff: string,
  lowers: readonly string[],
  options: OpaqueRootOptions,
): void {
  if (!takeOpaqueMark(diff, options)) return;
  const below = new Set(lowers.flatMap((lower) => readdirSync(lower, { encoding: 'latin1' })));
  const own = new Set(readdirSync(diff, { encoding: 'latin1' }));
  for (const name of below) {
    const marked =
      options.whiteouts === 'aufs' && (name.startsWith(WHITEOUT_PREFIX) || own.has(WHITEOUT_PREFIX + name));
    if (marked) continue;
    if (!own.has(name)) remove(diff, name, options);
    else if (lstatSync(pathOf(diff, name)).isDirectory()) makeOpaque(diff, name, options);
  }
}

function takeOpaqueMark(diff: string, options: OpaqueRootOptions): boolean {
  if (options.whiteouts === 'aufs') {
    const marker = join(diff, OPAQUE_MARKER);
    if (!existsSync(marker)) return false;
    unlinkSync(marker);
    return true;
  }
  return native.available && native.calls.lremovexattrSync(diff, opaqueAttribute(options));
}

function remove(diff: string, name: string, { whiteouts }: OpaqueRootOptions): void {
  if (whiteouts === 'aufs') {
    writeFileSync(pathOf(diff, WHITEOUT_PREFIX + name), '', { mode: MARKER_MODE, flag: 'wx' });
  } else if (native.available) {
    native.calls.mknodatSync(AT_FDCWD, pathOf(diff, name), S_IFCHR, 0, 0);
  }
}

function makeOpaque(diff: string, name: string, options: OpaqueRootOptions): void {
  if (options.whiteouts === 'aufs') {
    writeFileSync(pathOf(diff, `${name}/${OPAQUE_MARKER}`), '', { mode: MARKER_MODE });
  } else if (native.available) {
    native.calls.lsetxattrSync(pathOf(diff, name), opaqueAttribute(options), 'y');
  }
}

function opaqueAttribute({ userXattr }: OpaqueRootOptions): string {
  return userXattr ? 'user.overlay.opaque' : 'trusted.overlay.opaque';
}

/** Names are bytes, one to a character. */
function pathOf(directory: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, 'latin1')]);
}
