import { errnoOf, isLayerStoreError, removeTree } from '@x/archive';
import { native } from '@x/native';
import { unmountBelow } from '../mounts/unmount.js';

/** How often a busy tree is tried again, and how long is waited before that, growing. Milliseconds. */
const ATTEMPTS = 50;
const FIRST_DELAY = 1;
const LONGEST_DELAY = 100;

/**
 * Deletes a tree of the driver's own, whatever state a dead process left it in (spec/drivers.md 1.13): mounts below it
 * are detached when they are in the way, immutable flags cleared, a busy path tried again for about four seconds.
 * Absent is done.
 * @throws ARCHIVE_IO with the errno and the path that resisted
 */
export async function removeRobustly(directory: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await removeTree(directory);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !isBusy(error)) throw error;
      if (native.available) await unmountBelow(directory);
      await delay(Math.min(FIRST_DELAY * 2 ** attempt, LONGEST_DELAY));
    }
  }
}

function isBusy(error: unknown): boolean {
  return errnoOf(error) === 'EBUSY' || (isLayerStoreError(error) && error.errno === 'EBUSY');
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
