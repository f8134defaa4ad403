import { deleteDevice } from './deletion.js';
import { activeDevice, type DeviceSetCore } from './device-set-core.js';

/** How often the worker looks. Milliseconds. */
const INTERVAL = 30_000;

/**
 * Deletes the devices that were in use when their layers were removed. One that is still open is passed over at the price
 * of one question to the kernel; one that fails does not keep the others from being tried, and is tried again next time.
 */
export async function deleteTombstones(core: DeviceSetCore): Promise<void> {
  // A copy, and no lock held: each deletion takes what it needs.
  for (const hash of core.table.tombstones()) {
    try {
      if (((await activeDevice(core, hash))?.openCount ?? 0) > 0) continue;
      await deleteDevice(core, hash, { sync: true });
    } catch (error) {
      core.warn(`a deleted layer's device could not be given back yet: ${String(error)}`);
    }
  }
}

/** Runs {@link deleteTombstones} every 30 seconds, one at a time, until it is stopped. Keeps no process alive. */
export class DeferredDeletionWorker {
  readonly #core: DeviceSetCore;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(core: DeviceSetCore) {
    this.#core = core;
  }

  start(interval: number = INTERVAL): void {
    this.#timer ??= setInterval(() => void this.runOnce(), interval).unref();
  }

  /** One round, now; a round that is under way is joined. */
  runOnce(): Promise<void> {
    this.#running ??= deleteTombstones(this.#core).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** No further round; one that is under way is waited for. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }
}
