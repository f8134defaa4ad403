import type { FileSystemType } from '../options/options.js';

/** A program with its arguments. */
export interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
}

/** `6.1.0-26-amd64` → [6, 1]. undefined: not a kernel release. */
export function kernelVersion(release: string): readonly [number, number] | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

/**
 * The programs that may make a file system, the next one only when the one before failed (spec/drivers.md 2.12): built-in
 * arguments first, then the user's, then the device. Fresh thin devices need no discard, and inode tables are written at
 * once: the base device is made once and copied for ever.
 */
export function mkfsInvocations(
  type: FileSystemType,
  device: string,
  userArguments: readonly string[],
  release: string,
): readonly Invocation[] {
  if (type === 'xfs') {
    return [{ program: 'mkfs.xfs', args: [...oldXfsArguments(release), ...userArguments, device] }];
  }
  const ext4 = (features: string): Invocation => ({
    program: 'mkfs.ext4',
    args: ['-E', features, ...userArguments, device],
  });
  return [ext4('nodiscard,lazy_itable_init=0,lazy_journal_init=0'), ext4('nodiscard,lazy_itable_init=0')];
}

/** What has to happen to a new file system: ext4 shall not be checked after so many mounts or days. */
export function afterMkfs(type: FileSystemType, device: string): Invocation | undefined {
  return type === 'ext4' ? { program: 'tune2fs', args: ['-c', '-1', '-i', '0', device] } : undefined;
}

/** Growing a mounted file system to the size of its device. */
export function growInvocation(type: FileSystemType, device: string, mountPoint: string): Invocation {
  return type === 'ext4'
    ? { program: 'resize2fs', args: [device] }
    : { program: 'xfs_growfs', args: [mountPoint] };
}

/** Kernels before 3.16 cannot mount what newer xfsprogs make. */
function oldXfsArguments(release: string): string[] {
  const [major, minor] = kernelVersion(release) ?? [Number.MAX_SAFE_INTEGER, 0];
  return major < 3 || (major === 3 && minor < 16) ? ['-m', 'crc=0,finobt=0'] : [];
}
