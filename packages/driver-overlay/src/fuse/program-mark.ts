import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LayerStoreError } from '@x/archive';

/** containers/storage leaves the same mark. */
const MARK = '.has-mount-program';

/**
 * Layers that were unpacked for a mount program have deletions as `.wh.` files, which the kernel's overlay shows as what they
 * are.
 * @throws DRIVER_STATE_FOREIGN when the home has such layers and no program is to mount them
 */
export function checkProgramMark(home: string, mountProgram: string | undefined): void {
  const mark = join(home, MARK);
  if (mountProgram !== undefined || !existsSync(mark)) return;
  throw new LayerStoreError(
    'DRIVER_STATE_FOREIGN',
    `the layers in "${home}" were made for a mount program: use the fuse-overlayfs driver, or another home`,
    { driver: 'overlay2', path: mark },
  );
}

/** Marks a home that exists. */
export function markForProgram(home: string, mountProgram: string | undefined): void {
  if (mountProgram !== undefined) writeFileSync(join(home, MARK), 'true', { mode: 0o600 });
}
