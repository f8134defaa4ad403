import { describe, expect, it } from '@jest/globals';
import { encodeDeviceRecord, parseDeviceRecord } from './device-record.js';
import { EMPTY_DEVICE_SET, encodeDeviceSetRecord, parseDeviceSetRecord } from './device-set-record.js';
import { parseLegacyRecord } from './legacy-record.js';
import { encodeTransactionRecord, parseTransactionRecord } from './transaction-record.js';

const DAMAGED = expect.objectContaining({ code: 'DRIVER_STATE_DAMAGED' });

describe('the record of a device', () => {
  // As Docker 20.10 writes it.
  const text = '{"device_id":12,"size":10737418240,"transaction_id":31,"initialized":false,"deleted":false}';
  const record = { deviceId: 12, size: 10737418240, transactionId: 31, initialized: false, deleted: false };

  it('has the bytes that Docker writes', () => {
    expect(encodeDeviceRecord(record)).toBe(text);
    expect(parseDeviceRecord(text, 'f')).toEqual(record);
  });

  it('of a release that knew no deferred deletion is not deleted', () => {
    expect(parseDeviceRecord('{"device_id":0,"size":1,"transaction_id":1,"initialized":true}', 'f')).toEqual({
      deviceId: 0,
      size: 1,
      transactionId: 1,
      initialized: true,
      deleted: false,
    });
  });

  it.each([
    ['nothing', ''],
    ['half a file', '{"device_id":12,"si'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a negative device id', '{"device_id":-1,"size":1}'],
    ['a device id over 24 bits', '{"device_id":16777216,"size":1}'],
    ['no device id', '{"size":1}'],
    ['a size as text', '{"device_id":1,"size":"1"}'],
    ['a size that a double cannot hold', '{"device_id":1,"size":9007199254740993}'],
    ['a fraction', '{"device_id":1.5,"size":1}'],
    ['a flag that is none', '{"device_id":1,"size":1,"deleted":"yes"}'],
  ])('is refused when it is %s', (_what, damaged) => {
    expect(() => parseDeviceRecord(damaged, '/home/metadata/x')).toThrow(DAMAGED);
    expect(() => parseDeviceRecord(damaged, '/home/metadata/x')).toThrow('/home/metadata/x');
  });
});

describe('the record of the pool', () => {
  it('has the bytes that Docker writes, as long as there is nothing to add', () => {
    const text = '{"next_device_id":7,"BaseDeviceUUID":"0f3c","BaseDeviceFilesystem":"ext4"}';
    expect(encodeDeviceSetRecord(parseDeviceSetRecord(text, 'f'))).toBe(text);
    expect(encodeDeviceSetRecord(EMPTY_DEVICE_SET)).toBe(
      '{"next_device_id":0,"BaseDeviceUUID":"","BaseDeviceFilesystem":""}',
    );
  });

  it('keeps what it does not know', () => {
    const text =
      '{"next_device_id":7,"BaseDeviceUUID":"","BaseDeviceFilesystem":"xfs","thinp_block_size":128,' +
      '"pool_data":4096,"prefix":"docker-8:1-2","Later":[1]}';
    const record = parseDeviceSetRecord(text, 'f');
    expect(record).toMatchObject({
      thinBlockSectors: 128,
      prefix: 'docker-8:1-2',
      baseDeviceFilesystem: 'xfs',
    });
    expect(record).toMatchObject({ poolData: 4096, poolMetadata: 0, others: { Later: [1] } });
    expect(encodeDeviceSetRecord(record)).toBe(text);
  });

  it('is refused when it is damaged', () => {
    expect(() => parseDeviceSetRecord('{"next_device_id":16777216}', 'f')).toThrow(DAMAGED);
    expect(() => parseDeviceSetRecord('{"BaseDeviceUUID":3}', 'f')).toThrow(DAMAGED);
  });
});

describe('the record of a transaction', () => {
  it('has the bytes that Docker writes, and ours say what for', () => {
    const docker = '{"open_transaction_id":5,"device_hash":"ab","device_id":3}';
    const record = parseTransactionRecord(docker, 'f');
    expect(record).toEqual({ openTransactionId: 5, deviceHash: 'ab', deviceId: 3, kind: undefined });
    expect(encodeTransactionRecord(record)).toBe(docker);
    expect(encodeTransactionRecord({ ...record, deviceHash: '', kind: 'snap' })).toBe(
      '{"open_transaction_id":5,"device_hash":"","device_id":3,"op":"snap"}',
    );
  });

  it('of a later version keeps its meaning', () => {
    const later = '{"open_transaction_id":5,"device_hash":"ab","device_id":3,"op":"resize"}';
    expect(parseTransactionRecord(later, 'f').kind).toBeUndefined();
  });

  it('is refused without its number', () => {
    expect(() => parseTransactionRecord('{"device_hash":"ab","device_id":3}', 'f')).toThrow(DAMAGED);
  });
});

describe('the single file of Docker 0.7', () => {
  it('is read whatever the case of its keys', () => {
    const text =
      '{"devices":{"":{"device_id":0,"size":9,"transaction_id":1,"initialized":true},' +
      '"ab":{"Device_Id":1,"size":9,"transaction_id":2,"initialized":false}}}';
    expect([...parseLegacyRecord(text, 'json').keys()]).toEqual(['', 'ab']);
    expect(parseLegacyRecord(text, 'json').get('ab')).toMatchObject({ deviceId: 1, transactionId: 2 });
    expect(parseLegacyRecord('{"Devices":null}', 'json').size).toBe(0);
  });

  it.each([
    ['whose name would leave the directory', '{"Devices":{"../x":{"device_id":1,"size":9}}}'],
    ['with a name of the driver itself', '{"Devices":{"deviceset-metadata":{"device_id":1,"size":9}}}'],
    ['that is damaged', '{"Devices":{"x":{"device_id":-1,"size":9}}}'],
    ['that is no object', '{"Devices":{"x":3}}'],
  ])('is refused with a device %s', (_what, text) => {
    expect(() => parseLegacyRecord(text, 'json')).toThrow(DAMAGED);
  });
});
