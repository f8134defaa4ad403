import type { PathLike } from '../types.js';

/** Extended attributes. `l…` takes a path whose last component is not followed, `f…` a descriptor (not O_PATH). */
export interface XattrCalls {
  /** undefined when there is no such attribute (ENODATA). ENOTSUP where the file system has none at all. */
  lgetxattrSync(path: PathLike, name: PathLike): Buffer | undefined;
  /** The names, with their namespace prefix. `trusted.*` is shown to CAP_SYS_ADMIN only. */
  llistxattrSync(path: PathLike): Buffer[];
  /** Flags: XATTR_CREATE (EEXIST) or XATTR_REPLACE (ENODATA). */
  lsetxattrSync(path: PathLike, name: PathLike, value: PathLike, flags?: number): void;
  /** false when there was no such attribute. */
  lremovexattrSync(path: PathLike, name: PathLike): boolean;
  fgetxattrSync(fd: number, name: PathLike): Buffer | undefined;
  flistxattrSync(fd: number): Buffer[];
  fsetxattrSync(fd: number, name: PathLike, value: PathLike, flags?: number): void;
  fremovexattrSync(fd: number, name: PathLike): boolean;
}
