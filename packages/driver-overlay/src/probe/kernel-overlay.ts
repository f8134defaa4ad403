import { errnoOf } from '@x/archive';
import { unmount } from '@x/layer-store/driver-kit';
import type { NativeCalls, NativeError } from '@x/native';
import { givesEntryTypes } from './d-type.js';
import type { Finding } from './findings.js';
import { makeScratchLayers, type ScratchLayers, tryDeletions } from './scratch-layers.js';

/**
 * Tries the kernel's overlay in an empty directory, which keeps the layers of the trial but no mount.
 */
export async function tryKernelOverlay(
  calls: NativeCalls,
  directory: string,
  userXattr: boolean,
): Promise<Finding> {
  const layers = await makeScratchLayers(directory);
  const mounted = await tryMount(calls, layers, userXattr);
  if (mounted !== undefined) return mounted;
  if ((await givesEntryTypes(calls, directory)) !== true) {
    await unmount(layers.merged, { lazy: true });
    return { kind: 'no-d-type' };
  }
  let failure: string | undefined;
  try {
    failure = await tryDeletions(layers);
  } finally {
    await unmount(layers.merged, { lazy: true });
  }
  // Only now: without privilege over the attribute the mount has been refused, with the better reason.
  const unmarked = tryOpaqueMark(calls, layers, userXattr);
  if (unmarked !== undefined) return unmarked;
  return failure === undefined ? { kind: 'usable' } : { kind: 'no-whiteouts', reason: failure };
}

/** The directory is new, and its name has no character that mount options give a meaning unless the home has. */
async function tryMount(
  calls: NativeCalls,
  { lowers, upper, work, merged }: ScratchLayers,
  userXattr: boolean,
): Promise<Finding | undefined> {
  const escaped = (path: string): string => path.replace(/[\\:,]/g, '\\$&');
  const options = [
    `lowerdir=${lowers.map(escaped).join(':')}`,
    `upperdir=${escaped(upper)}`,
    `workdir=${escaped(work)}`,
    ...(userXattr ? ['userxattr'] : []),
  ];
  try {
    await calls.mount('overlay', merged, 'overlay', 0, options.join(','));
    return undefined;
  } catch (error) {
    const { detail = '' } = error as NativeError;
    return { kind: 'mount-refused', errno: errnoOf(error) ?? String(error), detail };
  }
}

function tryOpaqueMark(
  calls: NativeCalls,
  { upper }: ScratchLayers,
  userXattr: boolean,
): Finding | undefined {
  const attribute = userXattr ? 'user.overlay.opaque' : 'trusted.overlay.opaque';
  try {
    calls.lsetxattrSync(upper, attribute, 'y');
    return undefined;
  } catch (error) {
    return { kind: 'no-xattrs', attribute, errno: errnoOf(error) ?? String(error) };
  }
}
