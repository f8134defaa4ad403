import { randomId } from '../ids.js';
import type { MetadataStore } from '../metadata/metadata-store.js';
import type { IntentRecord } from '../metadata/records.js';

/** How many ids one transaction reserves: a crash makes the next open look for each of them. */
const BATCH = 16;

/**
 * Ids for what is about to be made, each with its intent on disk before anybody gets it (DESIGN.md 5): whatever the driver
 * makes under it is found and removed after a crash. Ids are reserved several at a time, so that one flush serves several
 * operations.
 */
export class ReservedIds {
  readonly #metadata: MetadataStore;
  readonly #kind: IntentRecord['kind'];
  readonly #free: IntentRecord[] = [];
  #reserving: Promise<void> | undefined;

  constructor(metadata: MetadataStore, kind: IntentRecord['kind']) {
    this.#metadata = metadata;
    this.#kind = kind;
  }

  /** An intent that is durable, with an id nobody else gets. STORE_METADATA_FAILED. */
  async take(): Promise<IntentRecord> {
    for (;;) {
      const intent = this.#free.pop();
      if (intent !== undefined) return intent;
      this.#reserving ??= this.#reserve().finally(() => {
        this.#reserving = undefined;
      });
      await this.#reserving;
    }
  }

  /** Gives up what nobody took. */
  async drop(): Promise<void> {
    await this.#metadata.dropIntents(this.#free.splice(0).map(({ id }) => id));
  }

  async #reserve(): Promise<void> {
    const intents = Array.from({ length: BATCH }, () => this.#intent());
    await this.#metadata.putIntents(intents);
    this.#free.push(...intents);
  }

  #intent(): IntentRecord {
    const id = randomId();
    return { id, kind: this.#kind, driverIds: this.#kind === 'layer' ? [id] : [id, `${id}-init`] };
  }
}
