import { type DeviceRecord, deviceRecordOf } from './device-record.js';
import { JsonRecord } from './json-record.js';

/**
 * Docker 0.7's one file for all devices, `<home>/devicemapper/json` (spec/drivers.md 2.2): `{"Devices":{"<hash>":{…}}}`, the
 * base device under the empty key. Throws DRIVER_STATE_DAMAGED.
 */
export function parseLegacyRecord(text: string, what: string): ReadonlyMap<string, DeviceRecord> {
  const devices = JsonRecord.parse(text, what).object('Devices');
  return new Map(
    Object.entries(devices).map(([hash, value]) => [
      hash,
      deviceRecordOf(JsonRecord.of(value, `${what}, device "${hash}"`)),
    ]),
  );
}
