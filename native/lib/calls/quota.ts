import type { PathLike } from '../types.js';

/** `struct fsxattr` (ioctl_xfs_fsgetxattr(2)). */
export interface FsXattr {
  /** FS_XFLAG_*. */
  readonly xflags: number;
  /** Bytes. */
  readonly extentSize: number;
  readonly extents: number;
  /** 0: no project. */
  readonly projectId: number;
  readonly cowExtentSize: number;
}

/** Limits of a project; space in bytes, 0 is no limit. */
export interface ProjectLimits {
  readonly spaceHard: number;
  readonly spaceSoft: number;
  readonly inodesHard: number;
  readonly inodesSoft: number;
}

/** Limits and use of a project. */
export interface ProjectQuota extends ProjectLimits {
  /** Bytes in use. */
  readonly space: number;
  readonly inodes: number;
}

/** Disk quota, above all that of projects: limits on a directory tree of xfs (and ext4). */
export interface QuotaCalls {
  /** FS_IOC_FSGETXATTR. ENOTTY or EOPNOTSUPP: a file system without. */
  fsGetXattrSync(fd: number): FsXattr;
  /** FS_IOC_FSSETXATTR; writes all fields, so begin with what `fsGetXattr` gave: a missing field is 0. `extents` is ignored. */
  fsSetXattrSync(fd: number, attributes: Partial<FsXattr>): void;

  /**
   * quotactl(2) on a device node: `command` is QCMD(…), `data` what it reads; the answer is as long as `data` (structures are at most 4096
   * bytes). ENOTBLK: no device node.
   */
  quotactlSync(command: number, device: PathLike, id: number, data?: Uint8Array): Buffer;
  /** quotactl_fd(2), Linux 5.14 (`features.quotactlFd`): the same on the file system that holds `fd`. ENOSYS before. */
  quotactlFdSync(fd: number, command: number, id: number, data?: Uint8Array): Buffer;

  // The rest use quotactl_fd where the kernel has it, else `device`, the block device's node (ENOSYS when undefined).
  /** Q_XGETQSTAT: FS_QUOTA_* flags, 0 when quota is off. ENOSYS, EINVAL or ESRCH: no quota here. */
  quotaStateSync(fd: number, device?: PathLike): number;
  /** Q_XGETQUOTA of a project; undefined when it has neither limits nor use. */
  projectQuotaSync(fd: number, device: PathLike | undefined, projectId: number): ProjectQuota | undefined;
  /** Q_XSETQLIM: the limits that are given; space is rounded up to 512 bytes. EPERM without CAP_SYS_ADMIN. */
  setProjectLimitsSync(
    fd: number,
    device: PathLike | undefined,
    projectId: number,
    limits: Partial<ProjectLimits>,
  ): void;
}
