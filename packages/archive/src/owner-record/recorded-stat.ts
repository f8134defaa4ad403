/** What an object's stat data are once its owner record is taken into account; pure. */
import { type FileStat, isDirectory, S_IFMT } from '../root/file-stat.js';
import type { OwnerRecord } from './owner-record.js';
import { workableMode } from './workable-mode.js';

/**
 * The record speaks for what the kernel refused, and for nothing that was done to the file since:
 *
 * - Its owner counts while the file belongs to `ownUid`, the user of this process. A file that is somebody else's was
 *   given to them, by someone with the right to.
 * - Its mode counts while the bits on disk are those the unpacking left there. Others are a later chmod(2), or set-id
 *   bits that a write took away, and are what the file has now.
 *
 * @returns `stat` itself when the record changes nothing
 */
export function recordedStat(stat: FileStat, record: OwnerRecord, ownUid: number): FileStat {
  const ours = stat.uid === ownUid;
  const [uid, gid] = ours ? [record.uid, record.gid] : [stat.uid, stat.gid];
  const onDisk = stat.mode & ~S_IFMT;
  const left = workableMode(isDirectory(stat) ? 'directory' : 'file', record.mode);
  const mode = onDisk === left ? (stat.mode & S_IFMT) | record.mode : stat.mode;
  return uid === stat.uid && gid === stat.gid && mode === stat.mode ? stat : { ...stat, uid, gid, mode };
}
