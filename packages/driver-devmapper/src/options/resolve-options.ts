import { LayerStoreError } from '@x/archive';
import type { DeviceMapperVersion } from '../device-mapper/device-mapper.js';
import { SECTOR_SIZE } from '../device-mapper/sector.js';
import { resolveDirectLvm } from '../direct-lvm/check-direct-lvm.js';
import type { DevmapperOptions, ResolvedDevmapperOptions } from './options.js';

const GIB = 1024 ** 3;

/** The first device mapper that removes devices on their last close (spec/drivers.md 2.5). */
const DEFERRED_REMOVAL = { major: 4, minor: 27 } as const;

/** Whether the kernel can remove a device when its last opener closes. */
export function supportsDeferredRemoval({ major, minor }: DeviceMapperVersion): boolean {
  const { major: needed, minor: from } = DEFERRED_REMOVAL;
  return major > needed || (major === needed && minor >= from);
}

/**
 * Fills in the defaults of spec/drivers.md 2.3 and 2.4. `options` were checked before.
 * @throws DRIVER_NOT_SUPPORTED for deferred removal that the kernel cannot do; OPTION_INVALID for deferred deletion without it
 */
export function resolveDevmapperOptions(
  options: DevmapperOptions,
  version: DeviceMapperVersion,
): ResolvedDevmapperOptions {
  const { dataDevice, thinPoolDevice, directLvm, blockSize } = options;
  const ownDisk = dataDevice !== undefined || thinPoolDevice !== undefined || directLvm !== undefined;
  return {
    baseSize: options.baseSize ?? 10 * GIB,
    userBaseSize: options.baseSize !== undefined,
    loopDataSize: options.loopDataSize,
    loopMetadataSize: options.loopMetadataSize,
    fileSystem: options.fileSystem,
    mkfsArguments: options.mkfsArguments ?? [],
    mountOptions: options.mountOptions ?? [],
    dataDevice,
    metadataDevice: options.metadataDevice,
    thinPoolDevice,
    blockSectors: blockSize === undefined ? undefined : blockSize / SECTOR_SIZE,
    // It gives space back to a loop file; a disk needs it less and is slowed down by it.
    blkDiscard: options.blkDiscard ?? !ownDisk,
    overrideUdevSyncCheck: options.overrideUdevSyncCheck ?? false,
    ...deferredFlags(options, supportsDeferredRemoval(version)),
    minFreeSpace: options.minFreeSpace ?? 10,
    xfsNospaceMaxRetries: options.xfsNospaceMaxRetries,
    directLvm: directLvm === undefined ? undefined : resolveDirectLvm(directLvm),
    directLvmForce: options.directLvmForce ?? false,
    logLevel: options.logLevel ?? 2,
    namePrefix: options.namePrefix ?? 'docker',
    poolErrorIfNoSpace: options.poolErrorIfNoSpace ?? false,
  };
}

function deferredFlags(
  options: DevmapperOptions,
  supported: boolean,
): Pick<ResolvedDevmapperOptions, 'deferredRemoval' | 'deferredDeletion'> {
  const { deferredRemoval = supported } = options;
  const { deferredDeletion = deferredRemoval } = options;
  if (deferredRemoval && !supported) {
    throw new LayerStoreError(
      'DRIVER_NOT_SUPPORTED',
      'this kernel cannot defer the removal of devices (device mapper 4.27 can): leave dm.use_deferred_removal out',
      { driver: 'devicemapper', option: 'dm.use_deferred_removal' },
    );
  }
  if (deferredDeletion && !deferredRemoval) {
    throw new LayerStoreError(
      'OPTION_INVALID',
      'dm.use_deferred_deletion needs dm.use_deferred_removal: switch both on, or this one off',
      { driver: 'devicemapper', option: 'dm.use_deferred_deletion' },
    );
  }
  return { deferredRemoval, deferredDeletion };
}
