/** Which paths of a tree are mount points of this process: what lies behind them belongs to somebody else. */
import { readFileSync, readlinkSync } from 'node:fs';
import type { RootDirectory } from '../root/root-directory.js';

/**
 * Latin-1 paths relative to the root. A device number alone does not tell: a bind mount may come from the same file system,
 * and files of an overlay have other device numbers than its directories. Empty where /proc is not mounted.
 */
export function mountPointsBelow(root: RootDirectory): ReadonlySet<string> {
  try {
    const top = readlinkSync(`/proc/self/fd/${root.top.fd}`, { encoding: 'latin1' });
    return parseMountPoints(readFileSync('/proc/self/mountinfo', 'latin1'), top);
  } catch {
    return new Set();
  }
}

/** The fifth field of proc_pid_mountinfo(5), space, tab, newline and backslash written as `\ooo`. */
export function parseMountPoints(mountinfo: string, root: string): ReadonlySet<string> {
  const prefix = root === '/' ? '/' : `${root}/`;
  const found = new Set<string>();
  for (const line of mountinfo.split('\n')) {
    const field = line.split(' ')[4];
    if (field === undefined) continue;
    const path = field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    if (path.startsWith(prefix) && path.length > prefix.length) found.add(path.slice(prefix.length));
  }
  return found;
}
