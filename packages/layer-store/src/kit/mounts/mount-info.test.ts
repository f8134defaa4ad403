import { describe, expect, it } from '@jest/globals';
import { mountsBelow, parseMountInfo, readMountInfo } from './mount-info.js';

const LINES = [
  '21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro',
  String.raw`36 21 0:42 / /srv/a\040b\011c\012d\134e rw,noatime shared:7 master:2 - overlay overlay rw,lowerdir=/x\134:y,upperdir=/u`,
  '37 36 0:43 /sub /srv/a\\040b\\011c\\012d\\134e/inner ro - tmpfs none rw',
  'no mount at all',
  '',
].join('\n');

describe('parseMountInfo', () => {
  it('undoes escapes, skips any number of optional fields, and leaves out lines that are none', () => {
    expect(parseMountInfo(Buffer.from(LINES))).toEqual([
      {
        mountId: 21,
        parentId: 1,
        device: '254:0',
        root: '/',
        mountPoint: '/',
        options: 'rw,relatime',
        fsType: 'ext4',
        source: '/dev/root',
        superOptions: 'rw,errors=remount-ro',
      },
      {
        mountId: 36,
        parentId: 21,
        device: '0:42',
        root: '/',
        mountPoint: '/srv/a b\tc\nd\\e',
        options: 'rw,noatime',
        fsType: 'overlay',
        source: 'overlay',
        superOptions: 'rw,lowerdir=/x\\:y,upperdir=/u',
      },
      expect.objectContaining({ root: '/sub', mountPoint: '/srv/a b\tc\nd\\e/inner', options: 'ro' }),
    ]);
  });

  it('reads names beyond ASCII as UTF-8', () => {
    const [entry] = parseMountInfo(Buffer.from('36 21 0:42 / /srv/Größe rw - tmpfs tmpfs rw\n'));
    expect(entry?.mountPoint).toBe('/srv/Größe');
  });

  it('reads what this kernel writes', async () => {
    expect(await readMountInfo()).toContainEqual(
      expect.objectContaining({ mountPoint: '/proc', fsType: 'proc' }),
    );
  });
});

describe('mountsBelow', () => {
  it('gives the directory itself and what is below it, the last mounted first, and no neighbour', () => {
    const mounts = ['/a', '/a/b', '/ab', '/a/b/c', '/a'].map((mountPoint, mountId) => ({
      mountId,
      parentId: 0,
      device: '0:1',
      root: '/',
      mountPoint,
      options: 'rw',
      fsType: 'tmpfs',
      source: 'none',
      superOptions: 'rw',
    }));
    expect(mountsBelow(mounts, '/a').map(({ mountId }) => mountId)).toEqual([4, 3, 1, 0]);
  });
});
