import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { isLayerStoreError } from '@x/archive';
import { runProgram } from '@x/layer-store/driver-kit';
import { native } from '@x/native';
import type { KernelRefusal } from './aufs-kernel.js';

const MODULE = 'aufs';
const MODPROBE_TIMEOUT = 30_000;
/** CAP_SYS_ADMIN of linux/capability.h. */
const CAP_SYS_ADMIN = 21n;

/** What is known of a machine before anything is mounted. */
export interface KernelFacts {
  /** `uname -r`. */
  readonly release: string;
  /** Why there is no addon; undefined: there is one. */
  readonly addonMissing: string | undefined;
  /** Text of `/proc/self/uid_map`. */
  readonly uidMap: string;
  /** Text of `/proc/self/status`. */
  readonly status: string;
  /** Text of `/proc/filesystems`, after the module was asked for. */
  readonly fileSystems: string;
  /** What modprobe said when it was needed and failed. */
  readonly moduleFailure: string | undefined;
}

/** Why a machine cannot mount aufs; undefined when it can. Pure (spec/drivers.md 3.2). */
export function judgeKernel(facts: KernelFacts): KernelRefusal | undefined {
  if (facts.addonMissing !== undefined) {
    return {
      code: 'DRIVER_PREREQUISITES',
      reason: `mounting needs the native addon: ${facts.addonMissing}`,
      remedy: 'install @x/native for this platform, or build it',
    };
  }
  if (!isInitialUserNamespace(facts.uidMap)) {
    return {
      code: 'DRIVER_NOT_SUPPORTED',
      reason: 'aufs cannot be mounted in a user namespace',
      remedy: 'run on the host, or use fuse-overlayfs or vfs',
    };
  }
  if (!knowsAufs(facts.fileSystems)) {
    const why = facts.moduleFailure === undefined ? '' : ` (modprobe: ${facts.moduleFailure})`;
    return {
      code: 'DRIVER_NOT_SUPPORTED',
      reason: `kernel ${facts.release} has no aufs, and its module ${MODULE} cannot be loaded${why}`,
      remedy: `aufs is not part of Linux: build the branch of github.com/sfjro/aufs-standalone for ${facts.release} (Debian up to 11 has it as the package aufs-dkms), then run modprobe ${MODULE}; overlay2 needs nothing`,
    };
  }
  if (!mayMount(facts.status)) {
    return {
      code: 'DRIVER_PREREQUISITES',
      reason: 'the process may not mount (CAP_SYS_ADMIN)',
      remedy: 'run as root',
    };
  }
  return undefined;
}

/** Looks at this machine; loads the module if aufs is not there yet. Never throws. */
export async function refusalOf(): Promise<KernelRefusal | undefined> {
  let moduleFailure: string | undefined;
  let fileSystems = await textOf('/proc/filesystems');
  if (!knowsAufs(fileSystems)) {
    moduleFailure = await loadModule();
    fileSystems = await textOf('/proc/filesystems');
  }
  return judgeKernel({
    release: release(),
    addonMissing: native.available ? undefined : native.reason,
    uidMap: await textOf('/proc/self/uid_map'),
    status: await textOf('/proc/self/status'),
    fileSystems,
    moduleFailure,
  });
}

function knowsAufs(fileSystems: string): boolean {
  return fileSystems.split('\n').some((line) => line.split('\t').at(-1) === MODULE);
}

/** One line that maps everything onto itself. */
function isInitialUserNamespace(uidMap: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(uidMap);
}

function mayMount(status: string): boolean {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((mask >> CAP_SYS_ADMIN) & 1n) === 1n;
}

async function loadModule(): Promise<string | undefined> {
  try {
    await runProgram('modprobe', [MODULE], { timeout: MODPROBE_TIMEOUT });
    return undefined;
  } catch (error) {
    return isLayerStoreError(error) ? error.message : String(error);
  }
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, 'latin1').catch(() => '');
}
