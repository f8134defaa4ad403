import { describe, expect, it } from '@jest/globals';
import { classifyFile, deviceFile, isReservedName, isTombstone, tombstoneHash } from './file-names.js';

describe('names in the metadata directory', () => {
  it('of layers are their ids, that of the base device is its own', () => {
    expect(classifyFile('base')).toEqual({ kind: 'device', hash: '' });
    expect(classifyFile('Base')).toEqual({ kind: 'device', hash: 'Base' });
    expect(classifyFile('ab12-init')).toEqual({ kind: 'device', hash: 'ab12-init' });
    expect(deviceFile('')).toBe('base');
  });

  it.each(['deviceset-metadata', 'transaction-metadata', 'x.migrated', 'x.corrupt', '.hidden', '.deleted-x'])(
    '%s stands for no device',
    (name) => {
      expect(classifyFile(name)).toEqual({ kind: 'other' });
    },
  );

  it('of deleted devices are hidden', () => {
    expect(tombstoneHash(12)).toBe('.deleted-12');
    expect(classifyFile('.deleted-12')).toEqual({ kind: 'device', hash: '.deleted-12' });
    expect([isTombstone('.deleted-12'), isTombstone('deleted-12'), isTombstone('.deleted-')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('that files of the driver have cannot be ids of layers; `Base` can', () => {
    const names = [
      'base',
      'deviceset-metadata',
      'transaction-metadata',
      'a.migrated',
      'a.corrupt',
      'Base',
      '1',
    ];
    expect(names.map(isReservedName)).toEqual([true, true, true, true, true, false, false]);
  });
});
