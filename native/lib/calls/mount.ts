import type { PathLike } from '../types.js';

/** `struct mount_attr` of mount_setattr(2): MOUNT_ATTR_* to set and to clear, MS_SHARED… as propagation. */
export interface MountAttributes {
  readonly set?: number;
  readonly clear?: number;
  readonly propagation?: number;
  /** The user namespace for MOUNT_ATTR_IDMAP. */
  readonly usernsFd?: number;
}

/** Mounting, by paths and by descriptors. All need CAP_SYS_ADMIN (EPERM). */
export interface MountCalls {
  /** mount(2): flags MS_*. undefined source, type or data are passed as empty. Data is at most a page long. */
  mountSync(
    source: PathLike | undefined,
    target: PathLike,
    type?: PathLike,
    flags?: number,
    data?: PathLike,
  ): void;
  /**
   * The same with relative paths, in the options too, meant from `cwd`; the process's own working directory stays. This is how
   * a long list of lower directories fits the page of options.
   */
  mountAtSync(
    cwd: PathLike,
    source: PathLike | undefined,
    target: PathLike,
    type?: PathLike,
    flags?: number,
    data?: PathLike,
  ): void;
  /** umount2(2): flags MNT_*. EINVAL: not a mount point. */
  umount2Sync(target: PathLike, flags?: number): void;

  /**
   * A whole mount in one call: fsopen, fsconfig, fsmount with MOUNT_ATTR_* and move_mount to `target`. Nothing is attached when it
   * fails. `settings`: `flag KEY`, `text KEY VALUE`, `directory KEY PATH` (given to the kernel by descriptor), every word
   * with a NUL behind it.
   */
  mountByContextSync(type: PathLike, settings: PathLike, attributes: number, target: PathLike): void;

  /** A new file system context. ENODEV: the kernel does not know the type. */
  fsopenSync(type: PathLike, flags?: number): number;
  /** The context of what is mounted at `path`, to reconfigure it. */
  fspickSync(dirfd: number, path: PathLike, flags?: number): number;
  // fsconfig(2), one function per kind of value. The kernel's log goes into the error's `detail` and message.
  fsconfigFlagSync(contextFd: number, key: PathLike): void;
  fsconfigStringSync(contextFd: number, key: PathLike, value: PathLike): void;
  fsconfigBinarySync(contextFd: number, key: PathLike, value: PathLike): void;
  /** An empty path means `dirfd` itself. */
  fsconfigPathSync(contextFd: number, key: PathLike, path: PathLike, dirfd: number): void;
  fsconfigFdSync(contextFd: number, key: PathLike, fd: number): void;
  /** FSCONFIG_CMD_CREATE, FSCONFIG_CMD_RECONFIGURE. */
  fsconfigCommandSync(contextFd: number, command: number): void;
  /** A mount of the context, attached nowhere: attributes MOUNT_ATTR_*. Gone when closed unless moved. */
  fsmountSync(contextFd: number, flags?: number, attributes?: number): number;
  /** MOVE_MOUNT_F_EMPTY_PATH to attach what `fromDirfd` is. */
  moveMountSync(fromDirfd: number, from: PathLike, toDirfd: number, to: PathLike, flags?: number): void;
  /** OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH. */
  openTreeSync(dirfd: number, path: PathLike, flags?: number): number;
  mountSetattrSync(dirfd: number, path: PathLike, flags: number, attributes: MountAttributes): void;
}
