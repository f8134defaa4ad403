import { describe, expect, it } from '@jest/globals';
import { type Circumstances, explainFinding, type Finding } from './findings.js';

const here: Circumstances = { fileSystem: 'extfs', userNamespace: false, hasState: false };
const cases: readonly (readonly [string, Finding, Partial<Circumstances>, string, RegExp, RegExp])[] = [
  [
    'a kernel without overlay',
    { kind: 'mount-refused', errno: 'ENODEV', detail: '' },
    {},
    'DRIVER_NOT_SUPPORTED',
    /kernel has no overlay/,
    /modprobe overlay/,
  ],
  [
    'no privilege',
    { kind: 'mount-refused', errno: 'EPERM', detail: '' },
    {},
    'DRIVER_NOT_SUPPORTED',
    /CAP_SYS_ADMIN/,
    /root.*unshare.*fuse-overlayfs/,
  ],
  [
    'an old kernel in a user namespace',
    { kind: 'mount-refused', errno: 'EPERM', detail: '' },
    { userNamespace: true },
    'DRIVER_NOT_SUPPORTED',
    /user namespace/,
    /5\.11/,
  ],
  [
    'overlay on overlay',
    { kind: 'mount-refused', errno: 'EINVAL', detail: '' },
    { fileSystem: 'overlay' },
    'DRIVER_INCOMPATIBLE_FS',
    /on overlay itself/,
    /volume|tmpfs/,
  ],
  [
    'another refusal, with the words of the kernel',
    { kind: 'mount-refused', errno: 'EINVAL', detail: 'case-insensitive' },
    {},
    'DRIVER_INCOMPATIBLE_FS',
    /extfs.*EINVAL \(case-insensitive\)/,
    /dmesg/,
  ],
  [
    'xfs without ftype',
    { kind: 'no-d-type' },
    { fileSystem: 'xfs' },
    'DRIVER_INCOMPATIBLE_FS',
    /d_type/,
    /ftype=1/,
  ],
  ['ext without filetype', { kind: 'no-d-type' }, {}, 'DRIVER_INCOMPATIBLE_FS', /d_type/, /-O filetype/],
  [
    'no attributes',
    { kind: 'no-xattrs', attribute: 'trusted.overlay.opaque', errno: 'ENOTSUP' },
    { fileSystem: 'ramfs' },
    'DRIVER_INCOMPATIBLE_FS',
    /ramfs.*trusted\.overlay\.opaque: ENOTSUP/,
    /ext4/,
  ],
  [
    'no whiteouts',
    { kind: 'no-whiteouts', reason: 'EIO' },
    { fileSystem: 'zfs' },
    'DRIVER_INCOMPATIBLE_FS',
    /zfs.*EIO/,
    /2\.2/,
  ],
  [
    'no addon',
    { kind: 'no-addon', reason: 'not built' },
    {},
    'DRIVER_PREREQUISITES',
    /not built/,
    /addon|vfs/,
  ],
  [
    'a colon in the path, for a program',
    { kind: 'colon-in-path', path: '/a:b', program: 'fuse-overlayfs' },
    {},
    'DRIVER_PREREQUISITES',
    /fuse-overlayfs.*colon/,
    /home/,
  ],
  [
    'no mount program',
    { kind: 'no-program', program: 'fuse-overlayfs' },
    {},
    'DRIVER_PREREQUISITES',
    /fuse-overlayfs/,
    /install/,
  ],
  [
    'no FUSE',
    { kind: 'no-fuse-device', errno: 'ENOENT' },
    {},
    'DRIVER_NOT_SUPPORTED',
    /\/dev\/fuse/,
    /modprobe/,
  ],
  [
    'a closed FUSE',
    { kind: 'no-fuse-device', errno: 'EACCES' },
    {},
    'DRIVER_PREREQUISITES',
    /EACCES/,
    /chmod/,
  ],
  [
    'a file at the home',
    { kind: 'no-directory', path: '/etc/passwd' },
    {},
    'DRIVER_PREREQUISITES',
    /passwd/,
    /another home/,
  ],
  [
    'a home nobody may write to',
    { kind: 'unwritable', path: '/x', errno: 'EROFS' },
    {},
    'DRIVER_FAILED',
    /EROFS/,
    /home/,
  ],
];

describe('why overlay cannot run', () => {
  it.each(cases)('%s', (_what, finding, circumstances, code, reason, remedy) => {
    expect(explainFinding(finding, { ...here, ...circumstances })).toEqual({
      supported: false,
      code,
      reason: expect.stringMatching(reason),
      remedy: expect.stringMatching(remedy),
    });
  });

  it('a file system without d_type keeps the layers it has in reach, with a warning', () => {
    expect(explainFinding({ kind: 'no-d-type' }, { ...here, fileSystem: 'xfs', hasState: true })).toEqual({
      supported: true,
      warnings: [expect.stringMatching(/xfs.*ftype=1/)],
    });
  });
});
