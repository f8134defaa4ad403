import { describe, expect, it } from '@jest/globals';
import { DM, DM_FLAG, decodeDeviceNumber, decodeHeader, encodeRequest } from './dm-ioctl.js';
import {
  decodeDeps,
  decodeDeviceList,
  decodeTargets,
  decodeTargetVersions,
  encodeMessage,
  encodeTargets,
  encodeText,
} from './dm-payload.js';

/** Bytes as hex, blanks for reading. */
const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** A reply: header with data_start 312, and a payload. */
function reply(payload: Buffer, fields: Readonly<Record<number, number>> = {}): Buffer {
  const header = Buffer.alloc(312);
  header.writeUInt32LE(312, 16);
  for (const [offset, value] of Object.entries(fields)) header.writeUInt32LE(value, Number(offset));
  return Buffer.concat([header, payload]);
}

describe('a request', () => {
  it('is struct dm_ioctl of 312 bytes, version 4.0.0, then the payload', () => {
    const bytes = encodeRequest({
      name: 'pool',
      uuid: 'LVM-x',
      flags: DM_FLAG.deferredRemove,
      eventNumber: 0x4e0000,
      targetCount: 1,
      payload: hex('0102'),
    });
    expect(bytes.length).toBe(314);
    expect(bytes.subarray(0, 48)).toEqual(
      hex(`04000000 00000000 00000000 3a010000 38010000 01000000
           00000000 00000200 00004e00 00000000 0000000000000000`),
    );
    expect(bytes.subarray(48, 54)).toEqual(hex('706f6f6c 0000'));
    expect(bytes.subarray(176, 182)).toEqual(hex('4c564d2d78 00'));
    expect(bytes.subarray(305)).toEqual(hex('00000000000000 0102'));
  });

  it('has room for the reply', () => {
    const bytes = encodeRequest({ name: 'x', room: 64, payload: hex('ff') });
    expect(bytes.length).toBe(312 + 64);
    expect(bytes.readUInt32LE(12)).toBe(312 + 64);
    expect(bytes[312]).toBe(0xff);
  });

  it('always ends its name with a NUL', () => {
    const bytes = encodeRequest({ name: 'x'.repeat(200) });
    expect(bytes[48 + 126]).toBe(0x78);
    expect(bytes[48 + 127]).toBe(0);
    expect(bytes[176]).toBe(0);
  });

  it('has the numbers of the kernel', () => {
    expect([DM.version, DM.create, DM.suspend, DM.setGeometry]).toEqual([
      0xc138fd00, 0xc138fd03, 0xc138fd06, 0xc138fd0f,
    ]);
  });
});

describe('a reply', () => {
  it('is read field by field', () => {
    const bytes = Buffer.alloc(312);
    hex(`04000000 2f000000 00000000 00400000 38010000 02000000
         ffffffff 21000200 07000000 00000000 05fe100000000000`).copy(bytes);
    bytes.write('docker-8:1-77-pool', 48);
    bytes.write('some-uuid', 176);
    expect(decodeHeader(bytes)).toEqual({
      version: [4, 47, 0],
      dataSize: 16384,
      dataStart: 312,
      targetCount: 2,
      openCount: -1,
      flags: 0x20021,
      eventNumber: 7,
      device: { major: 254, minor: 0x105 },
      name: 'docker-8:1-77-pool',
      uuid: 'some-uuid',
    });
  });

  it('has device numbers in the kernel encoding: 12 bits of major, 20 of minor', () => {
    expect(decodeDeviceNumber(0xfe03n)).toEqual({ major: 254, minor: 3 });
    expect(decodeDeviceNumber(0xfff000ffn)).toEqual({ major: 0, minor: 0xfffff });
    expect(decodeDeviceNumber(0x1234_5678n)).toEqual({ major: 0x456, minor: 0x12378 });
  });
});

describe('a table', () => {
  it('is one spec of 40 bytes per target, params padded to 8, next from its own spec', () => {
    const bytes = encodeTargets([
      { start: 0, length: 0x200000, type: 'thin', params: '254:0 7' },
      { start: 0x200000, length: 8, type: 'linear', params: '7:1 0 1234' },
    ]);
    expect(bytes).toEqual(
      hex(`0000000000000000 0000200000000000 00000000 30000000
           7468696e 00000000 00000000 00000000
           3235343a30203700
           0000200000000000 0800000000000000 00000000 38000000
           6c696e65 61720000 00000000 00000000
           373a312030203132 3334000000000000`),
    );
  });

  it('in a reply has next from the first spec', () => {
    const first = encodeTargets([{ start: 0, length: 8, type: 'thin', params: '0 -' }]);
    const second = encodeTargets([{ start: 8, length: 16, type: 'error', params: '' }]);
    second.writeUInt32LE(first.length + second.length, 20);
    expect(decodeTargets(reply(Buffer.concat([first, second]), { 20: 2 }))).toEqual([
      { start: 0, length: 8, type: 'thin', params: '0 -' },
      { start: 8, length: 16, type: 'error', params: '' },
    ]);
  });

  it('of no targets is empty, also with a payload that is too short', () => {
    expect(decodeTargets(reply(Buffer.alloc(0), { 20: 0 }))).toEqual([]);
    expect(decodeTargets(reply(Buffer.alloc(20), { 20: 3 }))).toEqual([]);
  });
});

describe('other payloads', () => {
  it('a message is its sector and text, padded', () => {
    expect(encodeMessage('delete 7', 0)).toEqual(hex('0000000000000000 64656c6574652037 0000000000000000'));
    expect(encodeMessage('x', 0x1_0000_0001).subarray(0, 8)).toEqual(hex('0100000001000000'));
  });

  it('a new name ends with NUL', () => {
    expect(encodeText('ab')).toEqual(hex('616200'));
  });

  it('dependencies are a count and device numbers', () => {
    const payload = hex('02000000 00000000 0107000000000000 0007000000000000');
    expect(decodeDeps(reply(payload))).toEqual([
      { major: 7, minor: 1 },
      { major: 7, minor: 0 },
    ]);
    expect(decodeDeps(reply(Buffer.alloc(0)))).toEqual([]);
    expect(decodeDeps(reply(hex('ff000000 00000000 0107000000000000')))).toHaveLength(1);
  });

  it('the list of devices is a chain of names', () => {
    const payload = hex(`00fe000000000000 10000000 61620000
                         01fe000000000000 10000000 63000000
                         02fe000000000000 00000000 6400`);
    expect(decodeDeviceList(reply(payload))).toEqual([
      { name: 'ab', major: 254, minor: 0 },
      { name: 'c', major: 254, minor: 1 },
      { name: 'd', major: 254, minor: 2 },
    ]);
    expect(decodeDeviceList(reply(hex('0000000000000000 00000000 00')))).toEqual([]);
    expect(decodeDeviceList(reply(Buffer.alloc(0)))).toEqual([]);
  });

  it('target versions are a chain too', () => {
    const payload = hex(`18000000 01000000 16000000 00000000 7468696e00000000
                         00000000 01000000 04000000 02000000 6c696e65617200`);
    expect(decodeTargetVersions(reply(payload))).toEqual([
      { type: 'thin', major: 1, minor: 22, patch: 0 },
      { type: 'linear', major: 1, minor: 4, patch: 2 },
    ]);
  });
});
