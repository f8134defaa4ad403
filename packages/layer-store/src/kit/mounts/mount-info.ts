import { readFile } from 'node:fs/promises';

/** One mount as `/proc/self/mountinfo` shows it (proc_pid_mountinfo(5)). */
export interface MountEntry {
  readonly mountId: number;
  readonly parentId: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** What of the file system is mounted: `/` unless it is a bind mount or a subvolume. */
  readonly root: string;
  readonly mountPoint: string;
  /** Of this mount: `rw,relatime`… */
  readonly options: string;
  readonly fsType: string;
  readonly source: string;
  /** Of the file system: overlay's directories, for one. Escapes are undone here too. */
  readonly superOptions: string;
}

const ESCAPE = /\\([0-7]{3})/g;

/** Parses mountinfo. Paths are taken as UTF-8; lines that are none are left out. */
export function parseMountInfo(text: Uint8Array): MountEntry[] {
  return Buffer.from(text).toString('latin1').split('\n').flatMap(parseLine);
}

function parseLine(line: string): MountEntry[] {
  const fields = line.split(' ');
  const [mountId, parentId, device, root, mountPoint, options] = fields;
  // Any number of optional fields stands before the separator.
  const separator = fields.indexOf('-', 6);
  if (mountId === undefined || parentId === undefined || device === undefined || root === undefined)
    return [];
  if (mountPoint === undefined || options === undefined || separator === -1) return [];
  return [
    {
      mountId: Number(mountId),
      parentId: Number(parentId),
      device,
      root: undoEscapes(root),
      mountPoint: undoEscapes(mountPoint),
      options,
      fsType: undoEscapes(fields[separator + 1] ?? ''),
      source: undoEscapes(fields[separator + 2] ?? ''),
      superOptions: undoEscapes(fields[separator + 3] ?? ''),
    },
  ];
}

/** Blank, tab, newline, backslash and `#` come as three octal digits. The bytes around them are UTF-8 read as latin-1. */
function undoEscapes(field: string): string {
  const bytes = field.replace(ESCAPE, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}

/** Every mount that this process sees, in the order they were attached. */
export async function readMountInfo(): Promise<MountEntry[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo'));
}

/** What is mounted on `directory` or below it, the last attached first: the order in which it can be unmounted. */
export function mountsBelow(mounts: readonly MountEntry[], directory: string): MountEntry[] {
  const inside = `${directory}/`;
  return mounts
    .filter(({ mountPoint }) => mountPoint === directory || mountPoint.startsWith(inside))
    .toReversed();
}
