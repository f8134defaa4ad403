import { access, constants, stat } from 'node:fs/promises';
import type { ProbeResult } from '@x/layer-store';
import { type FileSystem, fileSystemOf, nearestExisting } from '@x/layer-store/driver-kit';
import type { AufsKernel } from '../kernel/aufs-kernel.js';
import { isExpressible } from '../mount/branch.js';

/** aufs refuses branches on itself, overlay and eCryptfs; on btrfs it was never right (spec/drivers.md 3.2). */
const UNFIT: ReadonlySet<string> = new Set(['aufs', 'btrfs', 'ecryptfs', 'overlay']);

type Unsupported = Extract<ProbeResult, { readonly supported: false }>;

/** Whether aufs can be mounted here and keep its branches in `home`. Makes nothing, never throws. */
export async function probeAufs(
  home: string,
  kernel: AufsKernel,
  fileSystem: (path: string) => Promise<FileSystem> = fileSystemOf,
): Promise<ProbeResult> {
  try {
    const refusal = await kernel.refusal();
    if (refusal !== undefined) return { supported: false, ...refusal };
    return (await refuseHome(home, fileSystem)) ?? { supported: true, warnings: [] };
  } catch (error) {
    const why = error instanceof Object && 'message' in error ? String(error.message) : String(error);
    return refused('DRIVER_FAILED', `"${home}" could not be looked at: ${why}`, 'choose another home');
  }
}

async function refuseHome(
  home: string,
  fileSystem: (path: string) => Promise<FileSystem>,
): Promise<Unsupported | undefined> {
  if (!isExpressible(home)) {
    return refused(
      'DRIVER_PREREQUISITES',
      `"${home}" has a ':', ',' or '=', which aufs cannot take in a branch`,
      'choose another home',
    );
  }
  const existing = await nearestExisting(home);
  if (!(await stat(existing)).isDirectory()) {
    return refused('DRIVER_PREREQUISITES', `"${existing}" is not a directory`, 'choose another home');
  }
  await access(existing, constants.W_OK | constants.X_OK);
  const { name } = await fileSystem(home);
  if (!UNFIT.has(name)) return undefined;
  return refused(
    'DRIVER_INCOMPATIBLE_FS',
    `"${home}" is on ${name}, which cannot hold branches of aufs`,
    'put the home on ext4 or xfs',
  );
}

function refused(code: Unsupported['code'], reason: string, remedy: string): Unsupported {
  return { supported: false, code, reason, remedy };
}
