import { access, constants, readdir, realpath, stat } from 'node:fs/promises';
import { release } from 'node:os';
import { join, relative } from 'node:path';
import { errnoOf } from '@x/archive';
import type { ProbeResult } from '@x/layer-store';
import { fileSystemOf, nearestExisting } from '@x/layer-store/driver-kit';
import { native } from '@x/native';
import { tryMountProgram } from '../fuse/try-mount-program.js';
import { type Circumstances, explainFinding, type Finding } from './findings.js';
import { tryKernelOverlay } from './kernel-overlay.js';
import { withScratch } from './scratch.js';
import { inUserNamespace } from './user-namespace.js';

/** What a probe is to find out about. */
export interface ProbeOptions {
  /** Instead of the kernel's overlay; see `OverlayDriverOptions.mountProgram`. */
  readonly mountProgram?: string | undefined;
}

/** Everything that can change without a new process is in the key: kernel, file system, who is asking, for what. */
const findings = new Map<string, Finding>();

/**
 * Whether overlay layers can be kept at `home`, by a trial mount in it or, while it does not exist, in the nearest directory
 * above it. Never throws; leaves nothing, no home either. What worked is remembered as long as the process lives, per kernel
 * and file system; what did not is tried again, since its remedy may have been applied.
 */
export async function probeOverlay(home: string, options: ProbeOptions = {}): Promise<ProbeResult> {
  const userNamespace = inUserNamespace();
  let circumstances: Circumstances = { fileSystem: '<unknown>', userNamespace, hasState: false };
  try {
    const place = await nearestExisting(home);
    const { name: fileSystem, device } = await fileSystemOf(place);
    const obstacle = (await lookAtPlace(place)) ?? (await lookAtPath(home, place, options));
    if (obstacle !== undefined) return explainFinding(obstacle, { ...circumstances, fileSystem });
    circumstances = { fileSystem, userNamespace, hasState: place === home && (await hasEntries(home)) };
    const key = JSON.stringify([release(), String(device), process.geteuid?.(), options.mountProgram]);
    const finding = findings.get(key) ?? (await withScratch(place, (directory) => tryIn(directory, options)));
    if (finding.kind === 'usable') findings.set(key, finding);
    return explainFinding(finding, circumstances);
  } catch (error) {
    const errno = errnoOf(error) ?? String(error);
    return explainFinding({ kind: 'unwritable', path: home, errno }, circumstances);
  }
}

/** Forgets what probes found; for tests. */
export function forgetFindings(): void {
  findings.clear();
}

async function lookAtPlace(place: string): Promise<Finding | undefined> {
  if (!(await stat(place)).isDirectory()) return { kind: 'no-directory', path: place };
  try {
    await access(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return { kind: 'unwritable', path: place, errno: errnoOf(error) ?? String(error) };
  }
}

async function lookAtPath(
  home: string,
  place: string,
  { mountProgram }: ProbeOptions,
): Promise<Finding | undefined> {
  const path = join(await realpath(place), relative(place, home));
  return mountProgram !== undefined && path.includes(':')
    ? { kind: 'colon-in-path', path, program: mountProgram }
    : undefined;
}

function tryIn(directory: string, { mountProgram }: ProbeOptions): Promise<Finding> {
  if (mountProgram !== undefined) return tryMountProgram(directory, mountProgram);
  if (!native.available) return Promise.resolve({ kind: 'no-addon', reason: native.reason });
  return tryKernelOverlay(native.calls, directory, inUserNamespace());
}

async function hasEntries(directory: string): Promise<boolean> {
  return (await readdir(directory)).length > 0;
}
