import { isLayerStoreError, LayerStoreError } from '@x/archive';
import type { StoreLogger } from '../events.js';
import { publish } from '../events.js';
import type { IntentRecord, RemovalRecord } from '../metadata/records.js';
import { type DeletionTools, finishRemoval, undoIntent } from './deletions.js';

/** A deletion that failed and will be tried again, by `cleanup` or at the next open. */
export interface PendingDeletion {
  readonly id: string;
  readonly driverIds: readonly string[];
  readonly error: LayerStoreError;
}

type Work =
  | { readonly kind: 'removal'; readonly record: RemovalRecord }
  | { readonly kind: 'intent'; readonly record: IntentRecord };

/**
 * Carries out deletions. One that fails is kept with its error; the record in the metadata stays, so that it is not
 * forgotten even by a crash.
 */
export class PendingDeletions {
  readonly #tools: DeletionTools;
  readonly #logger: StoreLogger;
  readonly #failed = new Map<string, { readonly work: Work; readonly error: LayerStoreError }>();

  constructor(tools: DeletionTools, logger: StoreLogger) {
    this.#tools = tools;
    this.#logger = logger;
  }

  /** Finishes a removal; a failure is kept, and returned. */
  remove(record: RemovalRecord): Promise<LayerStoreError | undefined> {
    return this.#attempt({ kind: 'removal', record });
  }

  /** Undoes an operation that failed; a failure to do so is kept, and returned. */
  undo(record: IntentRecord): Promise<LayerStoreError | undefined> {
    return this.#attempt({ kind: 'intent', record });
  }

  /** Tries everything that failed once more, or only what concerns one driver id. */
  async retry(driverId?: string): Promise<void> {
    for (const { work } of [...this.#failed.values()]) {
      if (driverId === undefined || work.record.driverIds.includes(driverId)) await this.#attempt(work);
    }
  }

  list(): PendingDeletion[] {
    return [...this.#failed.values()].map(({ work, error }) => ({
      id: work.record.id,
      driverIds: work.record.driverIds,
      error,
    }));
  }

  async #attempt(work: Work): Promise<LayerStoreError | undefined> {
    const { id } = work.record;
    try {
      if (work.kind === 'removal') await finishRemoval(this.#tools, work.record);
      else await undoIntent(this.#tools, work.record);
      this.#failed.delete(id);
      return undefined;
    } catch (cause) {
      const error = asCoded(cause, id);
      this.#failed.set(id, { work, error });
      this.#logger.warn(
        { err: error, id, driverIds: work.record.driverIds },
        'a deletion failed and will be tried again',
      );
      publish('layer-store:removal-failed', this.#tools.paths.root, { id, error });
      return error;
    }
  }
}

function asCoded(cause: unknown, id: string): LayerStoreError {
  if (isLayerStoreError(cause)) return cause;
  return new LayerStoreError('DRIVER_FAILED', `data of ${id} could not be deleted; cleanup() tries again`, {
    cacheId: id,
    cause,
  });
}
