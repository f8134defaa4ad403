import { type FileHandle, open, readFile } from 'node:fs/promises';
import { errnoOf } from '@x/archive';
import { AT_FDCWD, type NativeCalls } from '@x/native';
import { parseMiscMinor } from '../device-mapper/control-node.js';
import { deviceMapperError } from '../device-mapper/device-mapper-error.js';

const CONTROL = '/dev/loop-control';
const LOOP_MAJOR = 7;
const MISC_MAJOR = 10;
const S_IFMT = 0o170000;
const S_IFBLK = 0o060000;
const S_IFCHR = 0o020000;

type NodeCalls = Pick<NativeCalls, 'mknodatSync' | 'fstatatSync'>;

/** Path of `/dev/loopN`. */
export function loopPath(index: number): string {
  return `/dev/loop${index}`;
}

/** Opens /dev/loop-control, made where /dev has none. undefined: the kernel has no loop devices at all. */
export async function openLoopControl(calls: NodeCalls): Promise<FileHandle | undefined> {
  try {
    return await open(CONTROL, 'r');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  const minor = parseMiscMinor(await readFile('/proc/misc', 'latin1'), 'loop-control');
  if (minor === undefined) return undefined;
  makeNode(calls, CONTROL, S_IFCHR | 0o600, MISC_MAJOR, minor);
  return open(CONTROL, 'r');
}

/**
 * Opens `/dev/loopN`, made where it is missing: a container's /dev has only those that were there when it started.
 * undefined: the device went away, or is about to. Reason `AttachLoopbackDevice` when the path is something else.
 */
export async function openLoop(calls: NodeCalls, index: number): Promise<FileHandle | undefined> {
  const path = loopPath(index);
  makeNode(calls, path, S_IFBLK | 0o660, LOOP_MAJOR, index);
  const { mode, rdevMajor, rdevMinor } = calls.fstatatSync(AT_FDCWD, path, 0);
  if ((mode & S_IFMT) !== S_IFBLK || rdevMajor !== LOOP_MAJOR || rdevMinor !== index) {
    throw deviceMapperError('AttachLoopbackDevice', `${path} is not loop device ${index}; remove it`, {
      path,
    });
  }
  try {
    return await open(path, 'r+');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENXIO' || errno === 'ENOENT' || errno === 'ENODEV') return undefined;
    throw error;
  }
}

function makeNode(calls: NodeCalls, path: string, mode: number, major: number, minor: number): void {
  try {
    calls.mknodatSync(AT_FDCWD, path, mode, major, minor);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
