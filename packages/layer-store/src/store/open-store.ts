import path from 'node:path';
import type { Driver } from '../driver/driver.js';
import { requireSupported, selectDriver } from '../driver/selection.js';
import { publish } from '../events.js';
import { type DirectoryLock, lockDirectory } from '../lock/directory-lock.js';
import { KeyedMutex } from '../lock/keyed-mutex.js';
import { levelMetadata } from '../metadata/level-metadata-store.js';
import type { MetadataStore } from '../metadata/metadata-store.js';
import { loadGraph } from '../recovery/load-graph.js';
import { PendingDeletions } from '../recovery/pending-deletions.js';
import { recover } from '../recovery/recover.js';
import type { StoreContext } from './context.js';
import { MountTable } from './mount-table.js';
import type { CheckedOpenOptions } from './open-options.js';
import { Operations } from './operations.js';
import { ReservedIds } from './reserved-ids.js';
import { prepareLayout, prepareRoot, rootFailure, type StorePaths } from './root-directory.js';
import { listTarSplits } from './tar-split-files.js';

/** A store that is ready, and how to end it. */
export interface OpenedStore {
  readonly ctx: StoreContext;
  close(): Promise<void>;
}

/**
 * Opens a store: root, lock, driver, metadata, then everything a dead process left is finished or undone, and only then
 * the layers are loaded. Whatever fails, what was opened before is closed again.
 */
export async function openStore(options: CheckedOpenOptions): Promise<OpenedStore> {
  const started = performance.now();
  const { logger, sync } = options;
  const undo: (() => Promise<void>)[] = [];
  try {
    const root = await prepareRoot(options.root);
    const lock = await takeLock(root);
    undo.push(() => lock.release());
    const driver = await chooseDriver(options, root);
    await driver.open();
    undo.push(() => driver.close({ mounts: options.mountsAtClose }));
    const paths = await prepareLayout(root, driver.name);
    const metadata = options.metadata ?? levelMetadata({ location: paths.database, sync });
    await metadata.open();
    undo.push(() => metadata.close());
    const ctx = await load(driver, metadata, paths, options);
    const { graph, mounts, broken } = ctx;
    for (const { id, problems } of broken.all()) {
      logger.error({ id, problems }, 'a recorded layer is damaged; see diagnose()');
      publish('layer-store:broken', root, { id, problems });
    }
    const milliseconds = performance.now() - started;
    logger.info(
      { root, driver: driver.name, layers: graph.size, mounts: mounts.size, milliseconds },
      'store opened',
    );
    publish('layer-store:open', root, { layers: graph.size, mounts: mounts.size, milliseconds });
    return { ctx, close: () => closeStore(ctx, undo) };
  } catch (error) {
    await unwind(undo).catch(() => undefined);
    throw error;
  }
}

async function takeLock(root: string): Promise<DirectoryLock> {
  try {
    return await lockDirectory(root);
  } catch (error) {
    throw rootFailure(root, error);
  }
}

async function chooseDriver(options: CheckedOpenOptions, root: string): Promise<Driver> {
  const { driver, drivers, driverPriority, driverOptions, idMap, logger } = options;
  if (typeof driver !== 'string') return driver;
  const factory =
    driver === 'auto'
      ? await selectDriver(drivers, root, { priority: driverPriority, logger })
      : await requireSupported(drivers.require(driver), root, logger);
  return factory.create({
    home: path.join(root, factory.name),
    options: driverOptions,
    ...(idMap === undefined ? {} : { idMap }),
  });
}

async function load(
  driver: Driver,
  metadata: MetadataStore,
  paths: StorePaths,
  { logger, sync }: CheckedOpenOptions,
): Promise<StoreContext> {
  const pending = new PendingDeletions({ driver, metadata, paths }, logger);
  const contents = await metadata.load();
  const found = new Set<string>(await driver.list());
  await recover(contents, pending, paths);
  const { removals } = contents;
  // Most intents are of ids that were only reserved.
  const intents = contents.intents.filter(({ driverIds }) => driverIds.some((id) => found.has(id)));
  if (intents.length + removals.length > 0) {
    logger.warn({ intents: intents.length, removals: removals.length }, 'recovered from an interruption');
    publish('layer-store:recovered', paths.root, { intents: intents.length, removals: removals.length });
  }
  const [driverIds, tarSplits] = await Promise.all([driver.list(), listTarSplits(paths)]);
  const loaded = loadGraph(contents, { driverIds: new Set<string>(driverIds), tarSplits });
  const mounts = new MountTable();
  for (const record of loaded.mounts) {
    mounts.add(record, record.parent === undefined ? undefined : loaded.graph.require(record.parent));
  }
  return {
    paths,
    driver,
    metadata,
    graph: loaded.graph,
    mounts,
    broken: loaded.broken,
    pending,
    layerIds: new ReservedIds(metadata, 'layer'),
    mountIds: new ReservedIds(metadata, 'mount'),
    operations: new Operations(paths.root),
    logger,
    sync,
    commits: new KeyedMutex(),
    flights: new KeyedMutex(),
    names: new KeyedMutex(),
  };
}

async function closeStore(ctx: StoreContext, undo: (() => Promise<void>)[]): Promise<void> {
  await ctx.operations.close();
  // Before the metadata closes, and never in the way of that.
  undo.push(async () => {
    await ctx.layerIds.drop();
    await ctx.mountIds.drop();
  });
  await unwind(undo);
  publish('layer-store:close', ctx.paths.root, {});
}

/** Closes in reverse order, all of it; the first failure is thrown when everything has been tried. */
async function unwind(undo: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let close = undo.pop(); close !== undefined; close = undo.pop()) {
    await close().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
