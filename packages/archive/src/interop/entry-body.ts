import { LayerStoreError } from '../errors.js';
import type { TarEvents } from './tar-events.js';

/** The payload of the entry a {@link TarEvents} is at. May be read in part or not at all, but not after the entry. */
export class EntryBody implements AsyncIterable<Uint8Array> {
  readonly #events: TarEvents;
  #state: 'open' | 'read' | 'passed' = 'open';

  constructor(events: TarEvents) {
    this.#events = events;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  /** Reads past whatever is left, so that the next event is the next entry's. Later reads are refused. */
  async skip(): Promise<void> {
    while (this.#state === 'open') await this.#next();
    this.#state = 'passed';
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#state === 'passed') {
      throw new LayerStoreError(
        'OPTION_INVALID',
        'The body of an archive entry was read after the next entry had been asked for; read it first, or keep a copy',
      );
    }
    while (this.#state === 'open') {
      const event = await this.#events.next();
      if (event?.type === 'payload') return event.bytes;
      if (event === undefined || event.type === 'end') this.#state = 'read';
    }
    return undefined;
  }
}
