import { LayerStoreError } from '@x/archive';

type State = 'new' | 'opening' | 'open' | 'closing' | 'closed';

/** Something that operations keep busy and that a close has to wait for. */
interface Closeable {
  close(): Promise<void>;
}

/**
 * Whether a driver is open, and what runs in it. `close` refuses new operations, closes the streams, and waits for the
 * operations that are under way.
 */
export class Lifecycle {
  #state: State = 'new';
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  readonly #running = new Set<Promise<unknown>>();
  readonly #streams = new Set<Closeable>();
  /** Idempotent; a closed driver can be opened again. */
  open(work: () => Promise<void>): Promise<void> {
    if (this.#state === 'open') return Promise.resolve();
    this.#opening ??= this.#open(work).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Idempotent. `work` runs when nothing else does. */
  close(work: () => Promise<void>): Promise<void> {
    if (this.#state === 'new') this.#state = 'closed';
    if (this.#state === 'closed') return Promise.resolve();
    this.#closing ??= this.#close(work).finally(() => {
      this.#closing = undefined;
    });
    return this.#closing;
  }

  /** Throws DRIVER_CLOSED unless open; `alsoClosing` lets through what gives something up. */
  require(alsoClosing = false): void {
    if (this.#state === 'open' || (alsoClosing && this.#state === 'closing')) return;
    const early = this.#state === 'new' || this.#state === 'opening';
    throw new LayerStoreError(
      'DRIVER_CLOSED',
      `the driver is ${early ? 'not open yet: await open() first' : this.#state}`,
    );
  }

  /** Runs an operation that `close` waits for. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  addStream(stream: Closeable): void {
    this.#streams.add(stream);
  }

  dropStream(stream: Closeable): void {
    this.#streams.delete(stream);
  }

  async #open(work: () => Promise<void>): Promise<void> {
    await this.#closing?.catch(() => undefined);
    this.#state = 'opening';
    try {
      await work();
      this.#state = 'open';
    } catch (error) {
      this.#state = 'closed';
      throw error;
    }
  }

  async #close(work: () => Promise<void>): Promise<void> {
    // At once when it can be: nothing may begin after close() was called.
    if (this.#state === 'opening') await this.#opening?.catch(() => undefined);
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    await Promise.allSettled([...this.#streams].map((stream) => stream.close()));
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
    try {
      await work();
    } finally {
      this.#state = 'closed';
    }
  }
}
