/** Whether two objects of the same path differ, as far as their inodes say; pure. */
import type { FileStat } from '../root/file-stat.js';
import { isDirectory } from '../root/file-stat.js';

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MICROSECOND = 1000n;

/**
 * The kernel stamps files with a clock that runs up to one tick behind (10 ms at 100 Hz, ktime_get_coarse_real_ts64): a file
 * touched just after the snapshot may look up to that much older. Doubled for good measure.
 */
const CLOCK_GRANULARITY_NS = 20_000_000n;

/**
 * Same second, and same nanoseconds unless one side has none: tar without pax times and some file systems cut
 * them (moby `794b5de749`). Likewise the same microsecond when one side has no finer part: Node sets times no more
 * precisely, so a copy made without the addon is cut there.
 */
export function sameTime(a: bigint, b: bigint): boolean {
  if (a === b) return true;
  const [aRest, bRest] = [nanoseconds(a), nanoseconds(b)];
  if (a - aRest !== b - bRest) return false;
  if (aRest === 0n || bRest === 0n) return true;
  const [aFine, bFine] = [aRest % NS_PER_MICROSECOND, bRest % NS_PER_MICROSECOND];
  return aRest - aFine === bRest - bFine && (aFine === 0n || bFine === 0n);
}

/**
 * Type, permissions, owner or device differ; for anything but directories also size or modification time. A
 * directory's size and time follow from what is in it and never count (moby #9874).
 */
export function metadataDiffers(older: FileStat, newer: FileStat): boolean {
  if (
    older.mode !== newer.mode ||
    older.uid !== newer.uid ||
    older.gid !== newer.gid ||
    older.rdevMajor !== newer.rdevMajor ||
    older.rdevMinor !== newer.rdevMinor
  ) {
    return true;
  }
  return !isDirectory(newer) && (older.size !== newer.size || !sameTime(older.mtimeNs, newer.mtimeNs));
}

/**
 * What the times of two files prove whose metadata is the same.
 *
 * Docker believes size and time alone and therefore sleeps until the second is over after each diff, so that the next
 * edit gets another second. That costs up to a second per commit, and still misses an edit that sets the time back
 * (`touch -r`, a package reinstalled: moby #31805, #8242). Here equal times are evidence only where they can be:
 *
 * - With `snapshotTime`, the moment when `newer` was complete as a copy of `older`: a write, a rename onto the name, a
 *   change of time, owner or mode since then has moved the inode's ctime past it, and no program can set ctime. An
 *   older ctime proves that nothing happened. (A wall clock that was set back in between breaks the proof.)
 * - Without it: an edit that did not disguise itself leaves mtime and ctime in the same second; and a time without
 *   nanoseconds, the normal case in an unpacked layer, says only "some time in that second, or set on purpose".
 *   So nanoseconds on both sides, equal, and older than the ctime's second count as proof.
 *
 * Everything else is `unproven`, and the bytes are compared.
 */
export function contentEvidence(
  older: FileStat,
  newer: FileStat,
  snapshotTime: bigint | undefined,
): 'untouched' | 'unproven' {
  if (snapshotTime !== undefined) {
    return newer.ctimeNs + CLOCK_GRANULARITY_NS < snapshotTime ? 'untouched' : 'unproven';
  }
  const precise = older.mtimeNs === newer.mtimeNs && nanoseconds(newer.mtimeNs) !== 0n;
  const settled = second(newer.mtimeNs) < second(newer.ctimeNs);
  return precise && settled ? 'untouched' : 'unproven';
}

function nanoseconds(time: bigint): bigint {
  return ((time % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
}

function second(time: bigint): bigint {
  return (time - nanoseconds(time)) / NS_PER_SECOND;
}
