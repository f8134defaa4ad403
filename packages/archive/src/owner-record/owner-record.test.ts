import { describe, expect, it } from '@jest/globals';
import { xattrPolicy } from '../root/xattr-policy.js';
import { encodeOwnerRecord, isPrivateXattr, OWNER_RECORD_XATTR, parseOwnerRecord } from './owner-record.js';

const text = (value: string): Uint8Array => Buffer.from(value, 'latin1');

describe('owner records', () => {
  it.each([
    [{ uid: 0, gid: 0, mode: 0o4755 }, '0:0:4755'],
    [{ uid: 33, gid: 42, mode: 0 }, '33:42:0000'],
    [{ uid: 4_294_967_294, gid: 1, mode: 0o7777 }, '4294967294:1:7777'],
  ])('say %o as "%s" and are read back', (record, value) => {
    expect(Buffer.from(encodeOwnerRecord(record)).toString('latin1')).toBe(value);
    expect(parseOwnerRecord(encodeOwnerRecord(record))).toEqual(record);
  });

  it('keep the permission bits of a mode, not the file type', () => {
    expect(encodeOwnerRecord({ uid: 1, gid: 2, mode: 0o100640 })).toEqual(text('1:2:0640'));
  });

  it.each([
    '',
    'root:root:0644',
    '0:0',
    '0:0:0644:',
    '0:0:0648',
    '0:0:10000',
    '-1:0:0644',
    '0:0:-644',
    ' 0:0:0644',
    '0:0:0644\n',
    '0:0:0644\0',
    '0x0:0:0644',
    '1e3:0:0644',
    '4294967295:0:0644',
    '0:4294967295:0644',
    '99999999999:0:0644',
    `0:0:${'0'.repeat(60)}`,
  ])('that are malformed are none: %j', (value) => {
    expect(parseOwnerRecord(text(value))).toBeUndefined();
  });

  it('have an attribute that no list of attributes to archive can ask for', () => {
    expect(isPrivateXattr(OWNER_RECORD_XATTR)).toBe(true);
    expect(isPrivateXattr('user.layerstore.later')).toBe(true);
    expect(isPrivateXattr('user.layerstorehouse')).toBe(false);
    const policy = xattrPolicy(['user.*', OWNER_RECORD_XATTR]);
    expect([OWNER_RECORD_XATTR, 'user.layerstore.x', 'user.other'].map(policy)).toEqual([false, false, true]);
  });
});
