import { errnoOf, LayerStoreError } from '@x/archive';
import type { AufsKernel } from '../kernel/aufs-kernel.js';
import type { OnAufsWarning } from '../warning.js';

/** auplink reads the table of mounts in pieces and may miss its own (spec/drivers.md 3.8). */
const FLUSH_ATTEMPTS = 6;
const UNMOUNT_ATTEMPTS = 5;
/** A mount is busy for moments when nobody seems to use it. Milliseconds. */
const BUSY_DELAY = 100;

/**
 * Ends a union: pseudo links first, or hard links across branches break with it. Nothing mounted there is success.
 * @throws DRIVER_BUSY while it is used, DRIVER_FAILED
 */
export async function unmountUnion(
  kernel: AufsKernel,
  mountPoint: string,
  onWarning: OnAufsWarning,
): Promise<void> {
  await flush(kernel, mountPoint, onWarning);
  for (let attempt = 1; ; attempt++) {
    try {
      await kernel.umount(mountPoint);
      return;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EINVAL' || errno === 'ENOENT') return;
      if (errno !== 'EBUSY' || attempt === UNMOUNT_ATTEMPTS) throw unmountFailure(mountPoint, error);
    }
    await kernel.wait(BUSY_DELAY);
  }
}

async function flush(kernel: AufsKernel, mountPoint: string, onWarning: OnAufsWarning): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await kernel.flushPseudoLinks(mountPoint);
    if (outcome.kind === 'flushed' || outcome.kind === 'not-installed') return;
    if (outcome.kind === 'again' && attempt < FLUSH_ATTEMPTS) continue;
    const why = outcome.kind === 'again' ? `EINVAL ${attempt} times` : outcome.reason;
    onWarning({
      kind: 'pseudo-links',
      path: mountPoint,
      message: `auplink could not flush ${mountPoint}, hard links across layers may become copies: ${why}`,
    });
    return;
  }
}

function unmountFailure(mountPoint: string, cause: unknown): LayerStoreError {
  const errno = errnoOf(cause);
  const fields = {
    driver: 'aufs',
    path: mountPoint,
    syscall: 'umount2',
    cause,
    ...(errno === undefined ? {} : { errno }),
  };
  return errno === 'EBUSY'
    ? new LayerStoreError(
        'DRIVER_BUSY',
        `${mountPoint} is in use and cannot be unmounted: end what uses it first`,
        fields,
      )
    : new LayerStoreError('DRIVER_FAILED', `${mountPoint} cannot be unmounted`, fields);
}
