import { open } from 'node:fs/promises';
import { errnoOf, isLayerStoreError } from '@x/archive';
import type { Finding } from '../probe/findings.js';
import { makeScratchLayers, tryDeletions } from '../probe/scratch-layers.js';
import { MountProgram } from './mount-program.js';

const DEVICE = '/dev/fuse';

/** Tries a mount program in an empty directory, which keeps the layers of the trial but no mount. */
export async function tryMountProgram(directory: string, name: string): Promise<Finding> {
  const program = new MountProgram(name);
  if ((await program.find()) === undefined) return { kind: 'no-program', program: name };
  const errno = await tryDevice();
  if (errno !== undefined) return { kind: 'no-fuse-device', errno };
  const layers = await makeScratchLayers(directory);
  try {
    await program.mount({
      options: 'lowerdir=lower2:lower1,upperdir=upper,workdir=work',
      target: layers.merged,
      cwd: directory,
    });
  } catch (error) {
    return { kind: 'program-failed', program: name, reason: messageOf(error) };
  }
  try {
    const failure = await tryDeletions(layers);
    return failure === undefined ? { kind: 'usable' } : { kind: 'no-whiteouts', reason: failure };
  } finally {
    await program.unmount(layers.merged, { lazy: true });
  }
}

async function tryDevice(): Promise<string | undefined> {
  try {
    await (await open(DEVICE, 'r+')).close();
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? String(error);
  }
}

function messageOf(error: unknown): string {
  return isLayerStoreError(error) ? error.message : String(error);
}
