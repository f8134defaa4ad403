import { stat } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { fileSystemName } from './file-system-name.js';
import { fileSystemOf } from './file-system-of.js';

it('names the file system of a path, or of the nearest directory above one that is not there', async () => {
  const { dev } = await stat('/dev/shm', { bigint: true });
  const expected = { name: 'tmpfs', type: 0x01021994, device: dev };
  expect(await fileSystemOf('/dev/shm')).toEqual(expected);
  expect(await fileSystemOf('/dev/shm/absent/and/absent')).toEqual(expected);
});

it.each([
  [0x794c7630, 'overlay'],
  [0xef53, 'extfs'],
  // btrfs as a signed 32-bit number, as f_type is on some architectures
  [0x9123683e | 0, 'btrfs'],
  [1, '<unknown>'],
])('%i is %s', (type, name) => {
  expect(fileSystemName(type)).toBe(name);
});
