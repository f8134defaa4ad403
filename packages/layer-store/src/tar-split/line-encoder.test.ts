import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import {
  CHECKSUM_CHARACTERS,
  FileLineEncoder,
  fileLineRoom,
  fillBase64Rooms,
  patchChecksum,
  SegmentLineEncoder,
  segmentLineRoom,
} from './line-encoder.js';

function fileLine(name: Uint8Array, size: number, position: number, crc?: Uint8Array): string {
  const encoder = new FileLineEncoder();
  const target = Buffer.alloc(fileLineRoom(name.length));
  const end = encoder.encode(target, 0, name, size, position);
  if (crc !== undefined) patchChecksum(target, encoder.checksumAt, crc);
  return target.toString('utf8', 0, end);
}

const crc = Buffer.from('1838df60a09b4e31', 'hex');

describe('tar-split lines', () => {
  it('a file has name, size, checksum and position in this order (TestFile)', () => {
    expect(fileLine(Buffer.from('./hurr.txt'), 19, 1, crc)).toBe(
      '{"type":1,"name":"./hurr.txt","size":19,"payload":"GDjfYKCbTjE=","position":1}\n',
    );
    expect(JSON.parse(fileLine(Buffer.from('./hurr.txt'), 19, 1, crc))).toEqual({
      type: 1,
      name: './hurr.txt',
      size: 19,
      payload: 'GDjfYKCbTjE=',
      position: 1,
    });
  });

  it('a name that is no UTF-8 goes under name_raw (TestFileRaw)', () => {
    const name = Buffer.from([0x2e, 0x2f, 0xe4, 0x2e, 0x74]);
    const line = fileLine(name, 2 ** 40, 12345, crc);
    expect(line).toBe(
      `{"type":1,"name_raw":"${name.toString('base64')}","size":1099511627776,"payload":"GDjfYKCbTjE=","position":12345}\n`,
    );
  });

  it('size 0 has no size and a null payload, an empty name no name', () => {
    expect(fileLine(Buffer.from('d/'), 0, 0)).toBe('{"type":1,"name":"d/","payload":null,"position":0}\n');
    expect(fileLine(Buffer.alloc(0), 0, 10)).toBe('{"type":1,"payload":null,"position":10}\n');
  });

  it("escapes as Go's encoder does and leaves other UTF-8 alone", () => {
    const name = 'q" b\\ <a>&b \n\r\t\u0001\u001f\u007f \u2028\u2029 é 漢 \u{1f600} \u2027';
    const line = fileLine(Buffer.from(name), 0, 7);
    expect(line).toBe(
      '{"type":1,"name":"q\\" b\\\\ \\u003ca\\u003e\\u0026b \\n\\r\\t\\u0001\\u001f\u007f \\u2028\\u2029 é 漢 \u{1f600} \u2027",' +
        '"payload":null,"position":7}\n',
    );
    expect((JSON.parse(line) as { name: string }).name).toBe(name);
  });

  it('the longest name still fits the room that was asked for', () => {
    const name = Buffer.alloc(4000, 0x01);
    const line = fileLine(name, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, crc);
    expect(line.endsWith(`"position":${Number.MAX_SAFE_INTEGER}}\n`)).toBe(true);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(fileLineRoom(name.length));
  });

  it('a segment is base64 of exactly its range', () => {
    const target = Buffer.alloc(200);
    const encoder = new SegmentLineEncoder();
    const end = encoder.encode(target, 3, Buffer.from('xxabcdxx'), 2, 6, 42);
    fillBase64Rooms(target, Uint32Array.of(encoder.roomAt, 4));
    expect(target.toString('latin1', 3, end)).toBe('{"type":2,"payload":"YWJjZA==","position":42}\n');
  });

  it('rooms for base64 are filled with that of any length', () => {
    const encoder = new SegmentLineEncoder();
    for (let length = 1; length < 40; length++) {
      const raw = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length) & 255));
      const target = Buffer.alloc(segmentLineRoom(length));
      const end = encoder.encode(target, 0, raw, 0, length, length);
      fillBase64Rooms(target, Uint32Array.of(encoder.roomAt, length));
      expect(target.toString('latin1', 0, end)).toBe(
        `{"type":2,"payload":"${raw.toString('base64')}","position":${length}}\n`,
      );
    }
  });

  it('a checksum takes the room of its placeholder', () => {
    expect(crc.toString('base64')).toHaveLength(CHECKSUM_CHARACTERS);
  });
});
