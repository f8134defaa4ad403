/** Ends the hold; further calls do nothing. */
export type Release = () => void;

interface Waiter {
  grant(): void;
}

/** One mutex per key, first come first served; keys that nobody holds cost nothing. */
export class KeyedMutex<Key = string> {
  readonly #queues = new Map<Key, Waiter[]>();

  /** Waits for the key. Rejects with the signal's reason if it is aborted before the turn comes. */
  async acquire(key: Key, signal?: AbortSignal): Promise<Release> {
    signal?.throwIfAborted();
    const queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, []);
    else await this.#turn(queue, signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#next(key);
    };
  }

  /** Runs `work` while holding the key. */
  async run<T>(key: Key, work: () => Promise<T> | T, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(key, signal);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** True while somebody holds the key. */
  isHeld(key: Key): boolean {
    return this.#queues.has(key);
  }

  #turn(queue: Waiter[], signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        grant: () => {
          signal?.removeEventListener('abort', abandon);
          resolve();
        },
      };
      const abandon = (): void => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal?.reason);
      };
      queue.push(waiter);
      signal?.addEventListener('abort', abandon, { once: true });
    });
  }

  #next(key: Key): void {
    const waiter = this.#queues.get(key)?.shift();
    if (waiter === undefined) this.#queues.delete(key);
    else waiter.grant();
  }
}
