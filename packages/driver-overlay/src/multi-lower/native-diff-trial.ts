import { readFileSync } from 'node:fs';
import { chmod, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '@x/archive';
import { type NativeCalls, native } from '@x/native';
import type { OverlayMounter } from '../mount/overlay-mounter.js';
import { withScratch } from '../probe/scratch.js';
import { inUserNamespace } from '../probe/user-namespace.js';

/** How this kernel writes to an upper directory. */
export interface UpperTraits {
  /** What is in an upper directory, with overlay's plain marks, is all there is to say about a layer. */
  readonly nativeDiff: boolean;
  /** A change of mode or owner copies no data up (`metacopy`): an upper directory alone lacks contents. */
  readonly metacopy: boolean;
}

/** Module parameters that an administrator may change at run time; part of what a trial's result depends on. */
const PARAMETERS = ['metacopy', 'redirect_dir', 'redirect_always_follow'] as const;
const known = new Map<string, UpperTraits>();

/**
 * Tries in a scratch directory of the home what the kernel leaves in an upper directory (spec/drivers.md 4.10): whether the opaque
 * mark of a lower directory is copied up (before Linux 4.8), whether a renamed directory is a redirect, whether a file is
 * copied up without its data. Any of them makes upper directories useless elsewhere, and diffs compare the merged trees
 * instead. Remembered per kernel, file system and module parameters.
 */
export async function upperTraits(
  mounter: OverlayMounter,
  home: string,
  userXattr: boolean,
): Promise<UpperTraits> {
  // A program has other marks, and no module parameters.
  if (!native.available || inUserNamespace() || mounter.whiteouts !== 'overlay') {
    return { nativeDiff: false, metacopy: false };
  }
  const { dev } = await stat(home);
  const key = JSON.stringify([release(), dev, userXattr, parameters()]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const traits = await tryUpper(native.calls, mounter, home, userXattr);
  known.set(key, traits);
  return traits;
}

/**
 * What the trial will say, as far as it can be known before there is a home: the parameters of the module, and that in a user
 * namespace the marks of layers are others (spec/drivers.md 4.10).
 */
export function expectsNativeDiff(): boolean {
  if (!native.available || inUserNamespace()) return false;
  const { metacopy, redirect_dir: redirects } = parameters();
  return metacopy !== 'Y' && redirects !== 'Y';
}

/** The values of the module's parameters; what the kernel does not have is left out. */
function parameters(): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const name of PARAMETERS) {
    try {
      values[name] = readFileSync(`/sys/module/overlay/parameters/${name}`, 'latin1').trim();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return values;
}

/** The trial itself, in a scratch directory of `place`. */
export function tryUpper(
  calls: NativeCalls,
  mounter: OverlayMounter,
  place: string,
  userXattr: boolean,
): Promise<UpperTraits> {
  return withScratch(place, (directory) => tryIn(directory, calls, mounter, userXattr));
}

async function tryIn(
  home: string,
  calls: NativeCalls,
  mounter: OverlayMounter,
  userXattr: boolean,
): Promise<UpperTraits> {
  const at = (...names: readonly string[]): string => join(home, ...names);
  const attribute = (name: string): string => `${userXattr ? 'user' : 'trusted'}.overlay.${name}`;
  for (const name of ['bottom/kept', 'bottom/moved', 'middle/kept', 'upper', 'work', 'merged']) {
    await mkdir(at(name), { recursive: true });
  }
  await writeFile(at('bottom/file'), 'content');
  calls.lsetxattrSync(at('middle/kept'), attribute('opaque'), 'y');
  const request = {
    home,
    target: at('merged'),
    lowers: ['middle', 'bottom'],
    upper: 'upper',
    work: 'work',
    label: undefined,
  };
  await mounter.mount(request);
  try {
    await writeFile(at('merged/kept/new'), '');
    await chmod(at('merged/file'), 0o600);
    const redirects = await renames(at('merged/moved'), at('merged/renamed'));
    const opaque = calls.lgetxattrSync(at('upper/kept'), attribute('opaque'))?.toString('latin1') === 'y';
    const metacopy = calls.lgetxattrSync(at('upper/file'), attribute('metacopy')) !== undefined;
    return { nativeDiff: !redirects && !opaque && !metacopy, metacopy };
  } finally {
    await mounter.unmount(at('merged'));
  }
}

/** A directory that has a lower part can only be renamed as a redirect; else it is EXDEV and callers copy. */
async function renames(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EXDEV') return false;
    throw error;
  }
}
