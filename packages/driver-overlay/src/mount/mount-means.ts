import { closeSync, constants, openSync } from 'node:fs';
import { type NativeCalls, native } from '@x/native';
import type { MountMeans } from './mount-plan.js';

const FSOPEN_CLOEXEC = 1;
/** A key that no kernel has. */
const NO_OPTION = 'layer-store-asks';

let probed: MountMeans['fsconfig'] | undefined;

/**
 * How this kernel takes lower directories through fsconfig(2), found out once per process. A context that is never turned
 * into a mount is enough to ask, so nothing is touched. `none` also without the privilege to mount.
 */
export function fsconfigSupport(): MountMeans['fsconfig'] {
  probed ??= native.available && native.features.fsopen ? tryContext(native.calls) : 'none';
  return probed;
}

/** What may be used, `mountInterface` considered. */
export function mountMeans(mountInterface: 'auto' | 'fsopen' | 'mount'): MountMeans {
  return {
    fsconfig: mountInterface === 'mount' ? 'none' : fsconfigSupport(),
    mount: mountInterface !== 'fsopen',
    pageSize: native.available ? native.calls.pageSize() : 4096,
  };
}

function tryContext(calls: NativeCalls): MountMeans['fsconfig'] {
  let context: number | undefined;
  let directory: number | undefined;
  let support: MountMeans['fsconfig'] = 'none';
  try {
    context = calls.fsopenSync('overlay', FSOPEN_CLOEXEC);
    // Up to Linux 6.4 a context collects whatever it is told, and complains only when it is turned into a mount.
    if (takesAnything(calls, context)) return 'none';
    calls.fsconfigStringSync(context, 'lowerdir+', '/');
    support = 'text';
    directory = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
    calls.fsconfigFdSync(context, 'lowerdir+', directory);
    support = 'descriptor';
  } catch {
    // An unknown key or kind of value is EINVAL: what came before it is what the kernel has.
  } finally {
    if (directory !== undefined) closeSync(directory);
    if (context !== undefined) closeSync(context);
  }
  return support;
}

function takesAnything(calls: NativeCalls, context: number): boolean {
  try {
    calls.fsconfigStringSync(context, NO_OPTION, '');
    return true;
  } catch {
    return false;
  }
}
