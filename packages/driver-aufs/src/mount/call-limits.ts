import { assertInteger } from '@x/archive';

/**
 * What one call of mount(2) can carry for aufs.
 *
 * The kernel copies the data of a call into one page and ends it with NUL: what is longer is cut without an error, and
 * branches, permissions or options behind the cut are lost. Besides, aufs of Linux 6.1 has room for 84 options a call, a
 * branch counting as one; more is E2BIG in the best case and a panic otherwise (spec/aufs-observed.md).
 */
export interface CallLimits {
  /** Bytes, the NUL included. */
  readonly pageSize: number;
  /** Options in one call, every branch counting as one. */
  readonly maxOptions: number;
}

/** Where the kernel's own limit was found; at or past it calls fail or crash. */
export const KERNEL_OPTION_LIMIT = 84;
/** Far enough below the kernel's limit that a kernel which counts a few more things still copes. */
export const DEFAULT_MAX_OPTIONS = 64;
/** The most that may be configured. */
export const LARGEST_MAX_OPTIONS: number = KERNEL_OPTION_LIMIT - 4;
/** xino, dio, dirperm1, context, a mount option and a branch: less leaves no room for a branch. */
export const SMALLEST_MAX_OPTIONS = 8;

const SMALLEST_PAGE = 4096;
const LARGEST_PAGE = 1 << 20;

/** @throws OPTION_INVALID */
export function checkCallLimits(limits: CallLimits): CallLimits {
  const where = 'limits of a mount call';
  assertInteger(where, 'pageSize', limits.pageSize, SMALLEST_PAGE, LARGEST_PAGE);
  assertInteger(where, 'maxOptions', limits.maxOptions, SMALLEST_MAX_OPTIONS, LARGEST_MAX_OPTIONS);
  return limits;
}
