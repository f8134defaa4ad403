import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { NativeCalls } from '@x/native';
import { AT_FDCWD } from '@x/native';

const DIRECTORY = '/dev/mapper';
const CONTROL = `${DIRECTORY}/control`;
const MISC_MAJOR = 10;
const S_IFCHR = 0o020000;

/**
 * Opens the device mapper's control device, close-on-exec as everything Node opens. A missing node is made: without udev
 * nobody else does. @throws DRIVER_NOT_SUPPORTED
 */
export async function openControl(calls: Pick<NativeCalls, 'mknodatSync'>): Promise<FileHandle> {
  try {
    return await open(CONTROL, 'r+');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw unavailable(error);
  }
  const minor = parseMiscMinor(await readFile('/proc/misc', 'latin1'), 'device-mapper');
  if (minor === undefined) throw unavailable(undefined);
  try {
    await mkdir(DIRECTORY, { recursive: true, mode: 0o755 });
    makeNode(calls, minor);
    return await open(CONTROL, 'r+');
  } catch (error) {
    throw unavailable(error);
  }
}

function makeNode(calls: Pick<NativeCalls, 'mknodatSync'>, minor: number): void {
  try {
    calls.mknodatSync(AT_FDCWD, CONTROL, S_IFCHR | 0o600, MISC_MAJOR, minor);
  } catch (error) {
    // Somebody else was faster.
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** The minor number of a device in /proc/misc. */
export function parseMiscMinor(misc: string, name: string): number | undefined {
  for (const line of misc.split('\n')) {
    const [minor, device] = line.trim().split(/\s+/);
    if (device === name) return Number(minor);
  }
  return undefined;
}

function unavailable(cause: unknown): LayerStoreError {
  const errno = errnoOf(cause);
  const denied = errno === 'EACCES' || errno === 'EPERM';
  return new LayerStoreError(
    'DRIVER_NOT_SUPPORTED',
    denied
      ? `${CONTROL} may not be opened: the devicemapper driver needs root`
      : 'the kernel has no device mapper: load the modules dm_mod and dm_thin_pool (modprobe dm_thin_pool), or use another driver',
    {
      driver: 'devicemapper',
      path: CONTROL,
      ...(errno === undefined ? {} : { errno }),
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
