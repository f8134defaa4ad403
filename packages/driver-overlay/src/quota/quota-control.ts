import { closeSync, existsSync, openSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import { type NativeCalls, native } from '@x/native';
import type { QuotaControl } from '../layout.js';
import { inUserNamespace } from '../probe/user-namespace.js';
import type { QuotaLimits } from './quota-limits.js';

// Q_XGETQSTAT, include/uapi/linux/dqblk_xfs.h
const FS_QUOTA_PDQ_ACCT = 0x10;
const FS_QUOTA_PDQ_ENFD = 0x20;
/** FS_XFLAG_PROJINHERIT: what is made in the directory belongs to its project. */
const FS_XFLAG_PROJINHERIT = 0x200;
/** Project ids are 32 bits, and the highest one is not for use. */
const PROJECT_IDS = 0xffff_fffe;

/** The calls it takes; the addon's. */
export type QuotaCalls = Pick<
  NativeCalls,
  'fsGetXattrSync' | 'fsSetXattrSync' | 'quotaStateSync' | 'projectQuotaSync' | 'setProjectLimitsSync'
>;

/**
 * Limits of directories by project quota (spec/drivers.md 5.3). Every limited directory is a project of its own; what is
 * made in it inherits the project. Writers over the limit get EDQUOT or ENOSPC.
 */
export class ProjectQuota implements QuotaControl {
  readonly #calls: QuotaCalls;
  readonly #device: string | undefined;

  /** @param device node of the block device, for kernels before 5.14 */
  constructor(calls: QuotaCalls, device: string | undefined) {
    this.#calls = calls;
    this.#device = device;
  }

  /** @throws DRIVER_QUOTA_NOT_SUPPORTED when the kernel refuses after all */
  set(directory: string, limits: QuotaLimits): Promise<void> {
    return this.#with(directory, (fd) => {
      if (readdirSync(directory).length > 0) {
        throw new LayerStoreError(
          'DRIVER_FAILED',
          `"${directory}" has content already, which a limit would not count: set it on an empty directory`,
          { path: directory },
        );
      }
      const attributes = this.#calls.fsGetXattrSync(fd);
      // All of this is one turn of the loop: nobody else takes the same id.
      const id = this.#freeProject(fd, attributes.projectId, statSync(directory, { bigint: true }).ino);
      this.#limit(fd, id, limits);
      this.#calls.fsSetXattrSync(fd, {
        ...attributes,
        projectId: id,
        // Unsigned: the highest flag is in use.
        xflags: (attributes.xflags | FS_XFLAG_PROJINHERIT) >>> 0,
      });
    });
  }

  clear(directory: string): Promise<void> {
    return this.#with(directory, (fd) => {
      const { projectId } = this.#calls.fsGetXattrSync(fd);
      const above = this.#projectOf(dirname(directory));
      if (projectId !== above) this.#limit(fd, projectId, {});
    });
  }

  #limit(fd: number, id: number, { size = 0, inodes = 0 }: QuotaLimits): void {
    this.#calls.setProjectLimitsSync(fd, this.#device, id, {
      spaceHard: size,
      spaceSoft: size,
      inodesHard: inodes,
      inodesSoft: inodes,
    });
  }

  /**
   * An id that nobody on the file system uses: other stores and other programs may have projects there. The search begins at
   * one that depends on the directory, so that it hardly ever takes a second look.
   */
  #freeProject(fd: number, inherited: number, inode: bigint): number {
    const first = Number(inode % BigInt(PROJECT_IDS));
    for (let step = 0; step < PROJECT_IDS; step++) {
      const id = ((first + step) % PROJECT_IDS) + 1;
      if (id !== inherited && this.#isFree(fd, id)) return id;
    }
    throw new LayerStoreError('DRIVER_FAILED', 'every project id of the file system is taken');
  }

  /** xfs has no record of such a project, ext4 one with nothing in it. */
  #isFree(fd: number, id: number): boolean {
    const quota = this.#calls.projectQuotaSync(fd, this.#device, id);
    return quota === undefined || Object.values(quota).every((value) => value === 0);
  }

  #projectOf(directory: string): number {
    const fd = openSync(directory, 'r');
    try {
      return this.#calls.fsGetXattrSync(fd).projectId;
    } finally {
      closeSync(fd);
    }
  }

  async #with(directory: string, work: (fd: number) => void): Promise<void> {
    const fd = openSync(directory, 'r');
    try {
      work(fd);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== 'EPERM' && errno !== 'ENOSYS' && errno !== 'ENOTTY' && errno !== 'EOPNOTSUPP')
        throw error;
      throw new LayerStoreError(
        'DRIVER_QUOTA_NOT_SUPPORTED',
        `the size of "${directory}" cannot be limited: ${errno}; mount the file system with prjquota, run as root`,
        { path: directory, errno, cause: error },
      );
    } finally {
      closeSync(fd);
    }
  }
}

/**
 * What limits directories at `home`, or in the nearest directory above it that exists; undefined where the file system has no project quota
 * in force, or the process may not set one. Changes nothing, never throws.
 */
export function openQuotaControl(home: string): ProjectQuota | undefined {
  if (!native.available || inUserNamespace()) return undefined;
  const { calls } = native;
  try {
    let place = home;
    while (!existsSync(place)) place = dirname(place);
    const device = deviceNode(place);
    const fd = openSync(place, 'r');
    try {
      const flags = calls.quotaStateSync(fd, device);
      const enforced = FS_QUOTA_PDQ_ACCT | FS_QUOTA_PDQ_ENFD;
      return (flags & enforced) === enforced ? new ProjectQuota(calls, device) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    // No quota, no privilege, no such place: all the same, there is nothing to limit with.
    return undefined;
  }
}

/** As udev names it. Kernels from 5.14 on take the directory instead. */
function deviceNode(place: string): string | undefined {
  const { dev } = statSync(place, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  const node = `/dev/block/${major}:${minor}`;
  return existsSync(node) ? node : undefined;
}
