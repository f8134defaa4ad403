import { LayerStoreError } from '@x/archive';
import { BASE_HASH, type DeviceRecord, deviceRecordOf } from './device-record.js';
import { isReservedName } from './file-names.js';
import { JsonRecord } from './json-record.js';

/**
 * Docker 0.7's one file for all devices, `<home>/devicemapper/json` (spec/drivers.md 2.2): `{"Devices":{"<hash>":{…}}}`, the
 * base device under the empty key. Throws DRIVER_STATE_DAMAGED.
 */
export function parseLegacyRecord(text: string, what: string): ReadonlyMap<string, DeviceRecord> {
  const devices = JsonRecord.parse(text, what).object('Devices');
  return new Map(
    Object.entries(devices).map(([hash, value]) => [
      checkedHash(hash, what),
      deviceRecordOf(JsonRecord.of(value, `${what}, device "${hash}"`)),
    ]),
  );
}

/** A hash becomes a file name. */
function checkedHash(hash: string, what: string): string {
  if (hash === BASE_HASH || (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/.test(hash) && !isReservedName(hash)))
    return hash;
  throw new LayerStoreError('DRIVER_STATE_DAMAGED', `${what}: ${JSON.stringify(hash)} is not a device`, {
    driver: 'devicemapper',
  });
}
