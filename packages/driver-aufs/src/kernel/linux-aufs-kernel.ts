import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, isLayerStoreError } from '@x/archive';
import { findSystemProgram, parseMountInfo, runProgram } from '@x/layer-store/driver-kit';
import { MS_REMOUNT, type NativeCalls, native, UMOUNT_NOFOLLOW } from '@x/native';
import type { AufsBranch } from '../mount/branch.js';
import type { AufsKernel, FlushOutcome, KernelRefusal, MountedUnion } from './aufs-kernel.js';
import { refusalOf } from './kernel-refusal.js';
import { branchIndex, parseSysfsBranch, sessionOf } from './sysfs-branches.js';

const TYPE = 'aufs';
const SOURCE = 'none';
const MOUNT_TABLE = '/proc/self/mountinfo';
const SYSFS = '/sys/fs/aufs';
/** The table is given out in pieces; two readings that agree were not torn. */
const TABLE_READINGS = 20;
/** auplink's answer when it lost the race with the table. */
const EINVAL = 22;
/** auplink opens every file with links across branches. Milliseconds. */
const FLUSH_TIMEOUT = 60_000;
const FALLBACK_PAGE = 4096;

/** The kernel this process runs on, by way of the addon. */
export class LinuxAufsKernel implements AufsKernel {
  get pageSize(): number {
    return native.available ? native.calls.pageSize() : FALLBACK_PAGE;
  }

  refusal(): Promise<KernelRefusal | undefined> {
    return refusalOf();
  }

  mount(target: string, data: Uint8Array): Promise<void> {
    return calls().mount(SOURCE, target, TYPE, 0, data);
  }

  remount(target: string, data: Uint8Array): Promise<void> {
    return calls().mount(SOURCE, target, TYPE, MS_REMOUNT, data);
  }

  umount(target: string): Promise<void> {
    return calls().umount2(target, UMOUNT_NOFOLLOW);
  }

  async mounted(): Promise<readonly MountedUnion[]> {
    return parseMountInfo(await readMountTable()).flatMap(({ fsType, mountPoint, superOptions }) => {
      const session = fsType === TYPE ? sessionOf(superOptions) : undefined;
      return session === undefined ? [] : [{ mountPoint, session }];
    });
  }

  async branches({ session }: MountedUnion): Promise<readonly AufsBranch[] | undefined> {
    const directory = join(SYSFS, `si_${session}`);
    try {
      const indices = (await readdir(directory)).map(branchIndex).filter((index) => index !== undefined);
      if (indices.length === 0) return undefined;
      indices.sort((a, b) => a - b);
      return await Promise.all(
        indices.map(async (index) => parseSysfsBranch(await readFile(join(directory, `br${index}`)))),
      );
    } catch (error) {
      // Built without sysfs, or hidden from this container.
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async flushPseudoLinks(target: string): Promise<FlushOutcome> {
    const auplink = await findSystemProgram('auplink');
    if (auplink === undefined) return { kind: 'not-installed' };
    try {
      const { exitCode } = await runProgram(auplink, [target, 'flush'], {
        accept: [0, EINVAL],
        timeout: FLUSH_TIMEOUT,
      });
      return exitCode === EINVAL ? { kind: 'again' } : { kind: 'flushed' };
    } catch (error) {
      if (!isLayerStoreError(error)) throw error;
      return { kind: 'failed', reason: error.message };
    }
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  async wait(milliseconds: number): Promise<void> {
    await sleep(milliseconds);
  }
}

function calls(): NativeCalls {
  if (native.available) return native.calls;
  throw new Error(`aufs cannot be mounted without the addon: ${native.reason}`);
}

async function readMountTable(): Promise<Uint8Array> {
  let last = await readFile(MOUNT_TABLE);
  for (let reading = 1; reading < TABLE_READINGS; reading++) {
    const next = await readFile(MOUNT_TABLE);
    if (next.equals(last)) return next;
    last = next;
  }
  return last;
}
