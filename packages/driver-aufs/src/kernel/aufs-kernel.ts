import type { AufsBranch } from '../mount/branch.js';

/** A union that is mounted. */
export interface MountedUnion {
  readonly mountPoint: string;
  /** What tells it from other unions: the kernel's `si=` number. */
  readonly session: string;
}

/** Why a kernel cannot mount aufs at all. */
export interface KernelRefusal {
  readonly code: 'DRIVER_NOT_SUPPORTED' | 'DRIVER_PREREQUISITES';
  readonly reason: string;
  readonly remedy: string;
}

/**
 * What the driver asks of a kernel with aufs. {@link LinuxAufsKernel} is the one that runs; the model in
 * `@x/driver-aufs/testing` behaves as aufs was observed to, so that the driver is tested where there is none.
 *
 * Calls fail as the system calls do: with an error whose `code` is the errno.
 */
export interface AufsKernel {
  /** Bytes of mount data that arrive, the NUL included. */
  readonly pageSize: number;
  /** Undefined: aufs can be mounted. Loads the module if that helps. */
  refusal(): Promise<KernelRefusal | undefined>;
  mount(target: string, data: Uint8Array): Promise<void>;
  remount(target: string, data: Uint8Array): Promise<void>;
  /** Never lazily: EBUSY while it is used, EINVAL when nothing is mounted there. */
  umount(target: string): Promise<void>;
  /** Every union that this process sees. */
  mounted(): Promise<readonly MountedUnion[]>;
  /** The branch table as the kernel has it, top first; undefined where it does not show it. */
  branches(union: MountedUnion): Promise<readonly AufsBranch[] | undefined>;
  /** Turns pseudo links into files before the unmount; undefined: there is no auplink. */
  flushPseudoLinks(target: string): Promise<FlushOutcome>;
  /**
   * Called before the driver reads a branch directly and after it has written to one, behind the back of unions that are
   * mounted on it. The kernel revalidates by itself (`udba=reval`).
   */
  settle(branch: string): Promise<void>;
  /** Lets time pass between two attempts. Milliseconds. */
  wait(milliseconds: number): Promise<void>;
}

/** How `auplink <mount point> flush` ended. */
export type FlushOutcome =
  | { readonly kind: 'flushed' }
  | { readonly kind: 'not-installed' }
  /** It lost a race against the mount table, which it does not read in one piece. */
  | { readonly kind: 'again' }
  | { readonly kind: 'failed'; readonly reason: string };
