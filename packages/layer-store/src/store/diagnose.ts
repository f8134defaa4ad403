import type { LayerStoreError } from '@x/archive';
import type { StoreContext } from './context.js';
import { listTarSplits } from './tar-split-files.js';

/** Something that is not as it should be, and what can be done about it. */
export type StoreProblem =
  /** Recorded but damaged: register it again, or discard it. */
  | {
      readonly kind: 'broken-layer';
      readonly chainId: string;
      readonly problems: readonly string[];
      readonly driverIds: readonly string[];
    }
  /** Recorded but damaged; its name stays taken until it is discarded. */
  | {
      readonly kind: 'broken-mount';
      readonly name: string;
      readonly problems: readonly string[];
      readonly driverIds: readonly string[];
    }
  /** A record of an interrupted operation that cannot be read. */
  | { readonly kind: 'unreadable-record'; readonly key: string; readonly problem: string }
  /** A deletion that failed; `cleanup()` tries again, and so does every open. */
  | {
      readonly kind: 'pending-deletion';
      readonly id: string;
      readonly driverIds: readonly string[];
      readonly error: LayerStoreError;
    }
  /** Data in the driver's home that no record names. Never deleted unasked: it may be somebody's. */
  | { readonly kind: 'unknown-driver-data'; readonly driverId: string }
  /** A tar-split file that no record names. */
  | { readonly kind: 'unknown-tar-split'; readonly cacheId: string };

/** Compares the records with what is on disk, both ways. */
export async function diagnose(ctx: StoreContext): Promise<StoreProblem[]> {
  // Disk before records: what is being made meanwhile has its intent first.
  const driverIds = await ctx.driver.list();
  const tarSplits = await listTarSplits(ctx.paths);
  const { layers, mounts, intents, removals, unreadable } = await ctx.metadata.load();
  const broken = ctx.broken.all();
  const known = new Set<string>([
    ...layers.map(({ cacheId }) => cacheId),
    ...mounts.flatMap(({ mountId, initId }) => [mountId, initId ?? mountId]),
    ...[...intents, ...removals, ...unreadable, ...broken].flatMap((record) => record.driverIds),
  ]);
  return [
    ...broken.map(
      ({ kind, id, problems, driverIds: ids }): StoreProblem =>
        kind === 'layer'
          ? { kind: 'broken-layer', chainId: id, problems, driverIds: ids }
          : { kind: 'broken-mount', name: id, problems, driverIds: ids },
    ),
    ...unreadable
      .filter(({ kind }) => kind === 'intent' || kind === 'removal')
      .map(
        ({ kind, key, problem }): StoreProblem => ({
          kind: 'unreadable-record',
          key: `${kind} ${key}`,
          problem,
        }),
      ),
    ...ctx.pending.list().map((deletion): StoreProblem => ({ kind: 'pending-deletion', ...deletion })),
    ...driverIds
      .filter((id) => !known.has(id))
      .map((driverId): StoreProblem => ({ kind: 'unknown-driver-data', driverId })),
    ...[...tarSplits]
      .filter((id) => !known.has(id))
      .map((cacheId): StoreProblem => ({ kind: 'unknown-tar-split', cacheId })),
  ];
}
