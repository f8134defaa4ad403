import { LayerStoreError } from '@x/archive';
import type { DriverId } from './contract.js';

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;

/**
 * Checks a driver id: 1 to 200 bytes of `[A-Za-z0-9_.-]`, the first a letter or digit, and not one of the driver's own
 * names (spec/drivers.md 1.1). Throws DRIVER_ID_INVALID.
 */
export function parseDriverId(id: string, driver: string, isReserved: (id: string) => boolean): DriverId {
  if (typeof id !== 'string' || !ID.test(id)) {
    throw new LayerStoreError(
      'DRIVER_ID_INVALID',
      `${JSON.stringify(id)} is not a driver id: use 1 to 200 letters, digits, '_', '.' or '-', the first a letter or digit`,
      { driver, cacheId: String(id) },
    );
  }
  if (isReserved(id)) {
    throw new LayerStoreError(
      'DRIVER_ID_INVALID',
      `the ${driver} driver keeps '${id}' for itself: use another id`,
      { driver, cacheId: id },
    );
  }
  return id as DriverId;
}
