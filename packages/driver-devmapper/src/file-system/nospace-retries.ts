import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';

/** The file that says how often xfs repeats a metadata write that found no space (Documentation/admin-guide/xfs.rst). */
export function nospaceRetriesFile(device: string, sysfs = '/sys'): string {
  return `${sysfs}/fs/xfs/${basename(device)}/error/metadata/ENOSPC/max_retries`;
}

/**
 * Limits the retries of a mounted xfs, which by default go on for ever on a full pool (spec/drivers.md 2.14). `device` is
 * `/dev/dm-N`. @throws DRIVER_FAILED
 */
export async function limitNospaceRetries(device: string, retries: string, sysfs = '/sys'): Promise<void> {
  const file = nospaceRetriesFile(device, sysfs);
  try {
    // Never made: on a kernel without the file the option has no effect, and that must be known.
    await writeFile(file, retries, { flag: 'r+' });
  } catch (error) {
    const errno = errnoOf(error);
    throw new LayerStoreError(
      'DRIVER_FAILED',
      `dm.xfs_nospace_max_retries=${retries} cannot be set in ${file}: leave the option out on kernels before 4.9`,
      {
        driver: 'devicemapper',
        path: file,
        option: 'dm.xfs_nospace_max_retries',
        ...(errno === undefined ? {} : { errno }),
        cause: error,
      },
    );
  }
}
