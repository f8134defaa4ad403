import {
  assertBoolean,
  assertFunction,
  assertKnownKeys,
  assertPath,
  type IdMap,
  LayerStoreError,
} from '@x/archive';
import type { Shortfall } from './shortfalls.js';

/** Options of the vfs driver. */
export interface VfsDriverOptions {
  /** Absolute directory of the driver, made on open. */
  readonly home: string;
  /** How ids in archives map to ids on disk. */
  readonly idMap?: IdMap;
  /**
   * Go on where the kernel refuses an owner, a device or an xattr, and report it. Default: whether the process lacks
   * CAP_CHOWN.
   */
  readonly rootless?: boolean;
  /** Told about every layer that could not be unpacked exactly as its headers say. */
  readonly onShortfall?: (shortfall: Shortfall) => void;
  /** Docker's `vfs.size`. Refused with DRIVER_QUOTA_NOT_SUPPORTED: plain directories have no limit. */
  readonly size?: string;
}

/** Fails with OPTION_UNKNOWN, OPTION_INVALID and DRIVER_QUOTA_NOT_SUPPORTED. */
export function checkVfsOptions(options: VfsDriverOptions): VfsDriverOptions {
  const where = 'VfsDriver';
  assertKnownKeys(where, options, ['home', 'idMap', 'rootless', 'onShortfall', 'size']);
  assertPath(where, 'home', options.home);
  if (options.rootless !== undefined) assertBoolean(where, 'rootless', options.rootless);
  if (options.onShortfall !== undefined) assertFunction(where, 'onShortfall', options.onShortfall);
  if (options.size !== undefined) {
    throw new LayerStoreError(
      'DRIVER_QUOTA_NOT_SUPPORTED',
      "the vfs driver cannot limit the size of a layer: leave option 'size' out",
      { driver: 'vfs', option: 'size' },
    );
  }
  return options;
}
