import type { PendingDeletion } from '../recovery/pending-deletions.js';
import type { BrokenObject } from './broken-registry.js';
import type { StoreContext } from './context.js';
import { listTarSplits } from './tar-split-files.js';

/** What is not as it should be. */
export interface Diagnosis {
  /** Recorded but damaged: register the layer again, or discard it. */
  readonly broken: readonly BrokenObject[];
  /** Deletions that failed; `cleanup()` tries again. */
  readonly pendingDeletions: readonly PendingDeletion[];
  /** Layers in the driver's home that no record names. Never deleted unasked: they may be somebody's. */
  readonly unknownDriverIds: readonly string[];
  /** tar-split files that no record names, by cache id. */
  readonly unknownTarSplits: readonly string[];
}

/** Compares the records with what is on disk, both ways. */
export async function diagnose(ctx: StoreContext): Promise<Diagnosis> {
  const known = new Set<string>();
  const inFlight = await ctx.metadata.load();
  for (const { driverIds } of [...inFlight.intents, ...inFlight.removals, ...ctx.broken.all()]) {
    for (const id of driverIds) known.add(id);
  }
  for (const { cacheId } of inFlight.layers) known.add(cacheId);
  for (const { mountId, initId } of inFlight.mounts) {
    known.add(mountId);
    if (initId !== undefined) known.add(initId);
  }
  const driverIds = await ctx.driver.list();
  const tarSplits = await listTarSplits(ctx.paths);
  return {
    broken: ctx.broken.all(),
    pendingDeletions: ctx.pending.list(),
    unknownDriverIds: driverIds.filter((id) => !known.has(id)),
    unknownTarSplits: [...tarSplits].filter((id) => !known.has(id)),
  };
}
