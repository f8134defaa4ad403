import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute } from 'node:path';
import { errnoOf, isLayerStoreError, LayerStoreError } from '@x/archive';
import { findSystemProgram } from '@x/layer-store/driver-kit';
import { isFuseMount, mountPointName, unmountFuse } from './fuse-mounts.js';
import { ProgramProcess } from './program-process.js';

/** A mount that is not there after this long will not come. Milliseconds. */
const MOUNT_TIMEOUT = 30_000;
/** Between looks at the mount table while the program starts: at first, and at most. Milliseconds. */
const FIRST_LOOK = 1;
const LONGEST_LOOK = 50;
/** How long an unmounted program may take to end. It has written everything by then. Milliseconds. */
const END_TIMEOUT = 5000;

/** A view for a program to serve. */
export interface ProgramMountRequest {
  /** What stands after `-o`; names in it may be relative to `cwd`. */
  readonly options: string;
  /** An empty directory; absolute. */
  readonly target: string;
  readonly cwd: string;
}

/**
 * A program that mounts over FUSE as fuse-overlayfs does: `PROGRAM -f -o OPTIONS TARGET`. It stays in the foreground, as a
 * child of this process that outlives it. One that goes into the background by itself works too, but is reaped by init.
 */
export class MountProgram {
  readonly program: string;
  readonly #timeout: number;
  /** By mount point, as the mount table spells it; of this instance only. */
  readonly #serving = new Map<string, ProgramProcess>();

  /**
   * @param program a name to look for in the system's directories, or an absolute path
   * @param timeout how long a mount may take to appear, in milliseconds
   */
  constructor(program: string, timeout: number = MOUNT_TIMEOUT) {
    this.program = program;
    this.#timeout = timeout;
  }

  /** Where the program is, or undefined. */
  async find(): Promise<string | undefined> {
    if (!isAbsolute(this.program)) return findSystemProgram(this.program);
    return stat(this.program).then(
      () => this.program,
      () => undefined,
    );
  }

  /**
   * Returns when the view is there. Leaves nothing on failure.
   * @throws DRIVER_PREREQUISITES when there is no such program, DRIVER_FAILED with what it wrote to standard error
   */
  async mount({ options, target, cwd }: ProgramMountRequest): Promise<void> {
    const file = await this.find();
    if (file === undefined) {
      throw new LayerStoreError(
        'DRIVER_PREREQUISITES',
        `there is no program ${this.program} here: install it`,
        { name: this.program },
      );
    }
    const point = await mountPointName(target);
    const args = ['-f', '-o', options, target];
    const process = await ProgramProcess.start(file, args, { cwd, logDirectory: dirname(target) });
    const failure = await this.#wait(process, point);
    if (failure === undefined) {
      await process.release();
      this.#serving.set(point, process);
      void process.ended.then(() => this.#forget(point, process));
      return;
    }
    const complaint = await process.stop();
    await unmountFuse(point, { lazy: true }).catch(() => undefined);
    throw new LayerStoreError(
      'DRIVER_FAILED',
      `${basename(file)} ${args.join(' ')}: ${failure}: ${complaint}`,
      { name: this.program, path: target },
    );
  }

  /**
   * Ends the view; one that is not there is fine. `lazy` takes it out of sight while somebody still works in it. Without users
   * the program has ended when this returns, if it was started here.
   * @throws DRIVER_BUSY unless `lazy`, DRIVER_FAILED
   */
  async unmount(target: string, { lazy }: { readonly lazy: boolean }): Promise<void> {
    const point = await mountPointName(target);
    const process = this.#serving.get(point);
    try {
      await unmountFuse(point, { lazy: false });
    } catch (error) {
      if (!lazy || !isLayerStoreError(error, 'DRIVER_BUSY')) throw error;
      await unmountFuse(point, { lazy: true });
      // It ends with its last user.
      return;
    }
    // A view that was inherited by another mount namespace keeps its program.
    await process?.endsWithin(END_TIMEOUT);
  }

  /** False when what is mounted at `target` has lost its program: every access fails with ENOTCONN. */
  async serves(target: string): Promise<boolean> {
    try {
      await stat(target);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOTCONN') return false;
      throw error;
    }
  }

  /** Undefined once the view is there, else what went wrong. */
  async #wait(process: ProgramProcess, point: string): Promise<string | undefined> {
    const deadline = Date.now() + this.#timeout;
    for (let look = FIRST_LOOK; Date.now() < deadline; look = Math.min(look * 2, LONGEST_LOOK)) {
      const ended = await process.endsWithin(look);
      if (await isFuseMount(point)) return undefined;
      if (ended) return (await process.ended).how;
    }
    return `no mount after ${this.#timeout} ms`;
  }

  #forget(point: string, process: ProgramProcess): void {
    if (this.#serving.get(point) === process) this.#serving.delete(point);
  }
}
