import type { PathLike } from '../types.js';
import type { OpenHow } from './fs-at.js';

/** What stands in for calls that an older kernel lacks, under names of its own so that it is tested on every kernel. */
export interface FallbackCalls {
  /**
   * openat2 with RESOLVE_IN_ROOT, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS or RESOLVE_NO_MAGICLINKS, one component at a time. Magic
   * links are never followed; RESOLVE_NO_XDEV gives ENOSYS.
   */
  confinedOpenSync(dirfd: number, path: PathLike, how: OpenHow): number;
  /** fchmodat with AT_SYMLINK_NOFOLLOW, through /proc. An empty path is `dirfd` itself. */
  fchmodByDescriptorSync(dirfd: number, path: PathLike, mode: number): void;
}
