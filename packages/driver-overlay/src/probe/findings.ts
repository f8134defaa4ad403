import type { ProbeResult } from '@x/layer-store';

/** What a look at a host and a directory came upon. Everything but `usable` keeps an overlay driver from running there. */
export type Finding =
  | { readonly kind: 'usable' }
  | { readonly kind: 'no-addon'; readonly reason: string }
  | { readonly kind: 'no-directory'; readonly path: string }
  | { readonly kind: 'unwritable'; readonly path: string; readonly errno: string }
  /** mount(2) or the mount program refused. */
  | { readonly kind: 'mount-refused'; readonly errno: string; readonly detail: string }
  /** Entries of directories come without a type. */
  | { readonly kind: 'no-d-type' }
  /** Opaque directories cannot be marked. */
  | { readonly kind: 'no-xattrs'; readonly attribute: string; readonly errno: string }
  /** A file of a lower directory cannot be deleted in the merged one. */
  | { readonly kind: 'no-whiteouts'; readonly reason: string }
  /** A mount program separates layers by colons and cannot be told that one is part of a name. */
  | { readonly kind: 'colon-in-path'; readonly path: string; readonly program: string }
  | { readonly kind: 'no-program'; readonly program: string }
  | { readonly kind: 'no-fuse-device'; readonly errno: string }
  | { readonly kind: 'program-failed'; readonly program: string; readonly reason: string };

/** What a finding is explained with. */
export interface Circumstances {
  /** Short name of the file system under the home, see `fileSystemName`. */
  readonly fileSystem: string;
  /** The process is in a user namespace other than the initial one. */
  readonly userNamespace: boolean;
  /** There is state of this driver at the home. */
  readonly hasState: boolean;
}

type Refusal = Extract<ProbeResult, { readonly supported: false }>;

const D_TYPE_REMEDY: Readonly<Record<string, string>> = {
  xfs: 'make the file system anew with mkfs.xfs -n ftype=1',
  extfs: 'unmount it, then tune2fs -O filetype and e2fsck -fD',
};

/** Says in words why a driver cannot run, and what to do about it. Pure. */
export function explainFinding(finding: Finding, circumstances: Circumstances): ProbeResult {
  const { fileSystem } = circumstances;
  switch (finding.kind) {
    case 'usable':
      return { supported: true, warnings: [] };
    case 'no-addon':
      return refuse(
        'DRIVER_PREREQUISITES',
        finding.reason,
        'build the native addon (npm rebuild @x/native), or use vfs',
      );
    case 'no-directory':
      return refuse('DRIVER_PREREQUISITES', `"${finding.path}" is not a directory`, 'choose another home');
    case 'unwritable':
      return refuse(
        'DRIVER_FAILED',
        `"${finding.path}" cannot be written: ${finding.errno}`,
        'choose a home you may write to, on a file system with room',
      );
    case 'mount-refused':
      return explainMount(finding.errno, finding.detail, circumstances);
    case 'no-d-type':
      return explainDType(circumstances);
    case 'no-xattrs':
      return refuse(
        'DRIVER_INCOMPATIBLE_FS',
        `the file system (${fileSystem}) has no attribute ${finding.attribute}: ${finding.errno}`,
        'put the home on ext4, xfs, btrfs or tmpfs, or use vfs',
      );
    case 'no-whiteouts':
      return refuse(
        'DRIVER_INCOMPATIBLE_FS',
        `files of lower layers cannot be deleted on this file system (${fileSystem}): ${finding.reason}`,
        'put the home on ext4, xfs, btrfs or tmpfs (zfs: 2.2 or later), or use vfs',
      );
    case 'colon-in-path':
      return refuse(
        'DRIVER_PREREQUISITES',
        `${finding.program} cannot use "${finding.path}": the path has a colon`,
        'choose a home whose path, symbolic links followed, has none',
      );
    case 'no-program':
      return refuse(
        'DRIVER_PREREQUISITES',
        `there is no program ${finding.program} here`,
        'install it (Debian package fuse-overlayfs), or name another with the option mountProgram',
      );
    case 'no-fuse-device':
      return refuse(
        finding.errno === 'ENOENT' ? 'DRIVER_NOT_SUPPORTED' : 'DRIVER_PREREQUISITES',
        `/dev/fuse cannot be opened: ${finding.errno}`,
        finding.errno === 'ENOENT'
          ? 'load FUSE: modprobe fuse'
          : 'let this user open it: chmod 0666 /dev/fuse',
      );
    case 'program-failed':
      return refuse(
        'DRIVER_NOT_SUPPORTED',
        `${finding.program} could not mount on this file system (${fileSystem}): ${finding.reason}`,
        'see its message; without root it needs fusermount3 (Debian package fuse3) or a user namespace',
      );
  }
}

function explainMount(errno: string, detail: string, circumstances: Circumstances): ProbeResult {
  const { fileSystem, userNamespace } = circumstances;
  const said = detail === '' ? '' : ` (${detail})`;
  switch (errno) {
    case 'ENODEV':
      return refuse('DRIVER_NOT_SUPPORTED', 'the kernel has no overlay', 'load it: modprobe overlay');
    case 'EPERM':
    case 'EACCES':
      return refuse(
        'DRIVER_NOT_SUPPORTED',
        userNamespace
          ? 'the kernel does not let a user namespace mount overlay'
          : 'mounting takes CAP_SYS_ADMIN, which the process lacks',
        userNamespace
          ? 'use a kernel from 5.11 on, or fuse-overlayfs'
          : 'run as root or in a user namespace (unshare -Urm), or use fuse-overlayfs',
      );
    default:
      if (fileSystem === 'overlay') {
        return refuse(
          'DRIVER_INCOMPATIBLE_FS',
          'the home is on overlay itself, which cannot be the upper directory of another',
          'mount a volume or a tmpfs at the home, or use fuse-overlayfs or vfs',
        );
      }
      return refuse(
        'DRIVER_INCOMPATIBLE_FS',
        `overlay cannot be mounted on this file system (${fileSystem}): ${errno}${said}`,
        'see the kernel log (dmesg); put the home on ext4, xfs, btrfs or tmpfs',
      );
  }
}

/** Layers that are there already stay in reach; new homes would be damaged in time: whiteouts show as files. */
function explainDType({ fileSystem, hasState }: Circumstances): ProbeResult {
  const reason = `the file system (${fileSystem}) gives no types with directory entries (d_type), which overlay needs`;
  const remedy =
    D_TYPE_REMEDY[fileSystem] ?? 'put the home on ext4 with filetype, xfs with ftype=1, btrfs or tmpfs';
  return hasState
    ? { supported: true, warnings: [`${reason}: deleted files may show; ${remedy}`] }
    : refuse('DRIVER_INCOMPATIBLE_FS', reason, remedy);
}

function refuse(code: Refusal['code'], reason: string, remedy: string): Refusal {
  return { supported: false, code, reason, remedy };
}
