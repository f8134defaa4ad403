import { describe, expect, it } from '@jest/globals';
import { OperationBatch } from './batch-encoder.js';
import { FLAG_SPARSE, OP_DATA, OP_FILE, OP_HARDLINK } from './operation.js';

const META = {
  mode: 0o4755,
  uid: 1,
  gid: 0xffff_fffe,
  mtime: { seconds: -2, nanoseconds: 999_999_999 },
  atime: { seconds: 0x1_0000_0001, nanoseconds: 3 },
};

describe('OperationBatch', () => {
  it('lays a file out as operation.ts says', () => {
    const batch = new OperationBatch();
    const xattrs = [{ name: Buffer.from('user.a'), value: Buffer.from([0, 255]) }];
    batch.file(Buffer.from('d/f'), META, xattrs, 0x1_0000_0002, 7, FLAG_SPARSE);
    const expected = [
      '02 01 0300', // OP_FILE, FLAG_SPARSE, path length
      'ed090000 01000000 feffffff', // mode, uid, gid
      'feffffffffffffff ffc99a3b', // mtime
      '0100000001000000 03000000', // atime
      '0100', // xattrs
      '0200000001000000 07000000', // size, fileIndex
      '642f66', // path
      '0600 02000000 757365722e61 00ff', // xattr
    ];
    expect(Buffer.from(batch.bytes()).toString('hex')).toBe(expected.join('').replaceAll(' ', ''));
    expect([OP_FILE, FLAG_SPARSE]).toEqual([2, 1]);
  });

  it('grows as far as it must and starts again in the same memory', () => {
    const batch = new OperationBatch();
    expect(batch.empty).toBe(true);
    for (let index = 0; index < 20_000; index++) batch.data(index * 10, index, 10);
    batch.hardlink(Buffer.alloc(65_535, 'p'), Buffer.alloc(65_535, 't'));
    const bytes = Buffer.from(batch.bytes());
    expect(bytes.length).toBe(batch.length);
    expect(bytes.length).toBe(20_000 * 20 + 4 + 2 + 2 * 65_535);
    expect([bytes[0], bytes.readBigUInt64LE(20 * 19_999 + 4), bytes[20 * 20_000]]).toEqual([
      OP_DATA,
      199_990n,
      OP_HARDLINK,
    ]);
    const { buffer } = batch.bytes();
    batch.reset();
    expect(batch.empty).toBe(true);
    batch.remove(Buffer.from('x'));
    expect(Buffer.from(batch.bytes()).toString('hex')).toBe('0b00010078');
    expect(batch.bytes().buffer).toBe(buffer);
  });
});
