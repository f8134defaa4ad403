import { assertFunction, assertKnownKeys, assertSignal, assertString, LayerStoreError } from '@x/archive';
import type { CreateOptions } from '../driver/contract.js';
import { publish } from '../events.js';
import { step } from '../failpoint/failpoints.js';
import type { ChainId, MountId } from '../ids.js';
import type { MountRecord } from '../metadata/records.js';
import { COMMIT, type StoreContext } from './context.js';
import type { LayerNode } from './layer-node.js';
import { checkMountName } from './mount-name.js';
import { assertLabels } from './register-options.js';
import { unpin } from './release.js';
import { RWLayer } from './rw-layer.js';

/** Options of `createRWLayer`. */
export interface CreateRWLayerOptions {
  /**
   * Prepares the layer, in a layer of its own between the parent and the read-write one: what it writes at the path it is
   * given is there when the layer is mounted, but is not part of its changes.
   */
  readonly init?: (path: string) => Promise<void> | void;
  /** SELinux context of the mounts. */
  readonly mountLabel?: string;
  /** For the driver, `size` for example. */
  readonly storageOpt?: Readonly<Record<string, string>>;
  /** Stored with the layer. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const WHERE = 'createRWLayer';
const KEYS: readonly (keyof CreateRWLayerOptions)[] = [
  'init',
  'mountLabel',
  'storageOpt',
  'labels',
  'signal',
];

/** Throws OPTION_INVALID and OPTION_UNKNOWN. */
export function checkCreateRWLayerOptions(options: CreateRWLayerOptions): CreateRWLayerOptions {
  assertKnownKeys(WHERE, options, KEYS);
  if (options.init !== undefined) assertFunction(WHERE, 'init', options.init);
  if (options.mountLabel !== undefined) assertString(WHERE, 'mountLabel', options.mountLabel, true);
  if (options.labels !== undefined) assertLabels(WHERE, options.labels);
  if (options.signal !== undefined) assertSignal(WHERE, 'signal', options.signal);
  return options;
}

/** Makes a read-write layer; intent first, one transaction last, as for a register. */
export function createRWLayer(
  ctx: StoreContext,
  name: string,
  parentChain: ChainId | undefined,
  options: CreateRWLayerOptions,
  signal: AbortSignal,
): Promise<RWLayer> {
  checkMountName(name);
  return ctx.names.run(
    name,
    async () => {
      refuseTakenName(ctx, name);
      const parent = parentChain === undefined ? undefined : ctx.graph.require(parentChain);
      if (parent !== undefined) parent.pins += 1;
      try {
        return await create(ctx, name, parent, options, signal);
      } finally {
        await unpin(ctx, parent);
      }
    },
    signal,
  );
}

async function create(
  ctx: StoreContext,
  name: string,
  parent: LayerNode | undefined,
  options: CreateRWLayerOptions,
  signal: AbortSignal,
): Promise<RWLayer> {
  const { driver } = ctx;
  const { init, mountLabel, labels } = options;
  const intent = await step('rw-create.intent', () => ctx.mountIds.take());
  const mountId = intent.id as MountId;
  const initId = init === undefined ? undefined : `${mountId}-init`;
  try {
    const storage: CreateOptions = options.storageOpt === undefined ? {} : { storageOpt: options.storageOpt };
    const labelled: CreateOptions = mountLabel === undefined ? storage : { ...storage, mountLabel };
    const parentId = parent?.record.cacheId;
    if (initId !== undefined && init !== undefined) {
      await step('rw-create.init-layer', () => driver.createReadWrite(initId, parentId, labelled, signal));
      await step('rw-create.init', () =>
        driver.withMount(initId, async (path) => init(path), mountLabel === undefined ? {} : { mountLabel }),
      );
    }
    signal.throwIfAborted();
    // The label belongs to the lowest layer made here: contents above it inherit it.
    const own = initId === undefined ? labelled : storage;
    await step('rw-create.layer', () => driver.createReadWrite(mountId, initId ?? parentId, own, signal));
    if (ctx.sync) await step('rw-create.driver-sync', () => driver.sync());
    signal.throwIfAborted();
    const record: MountRecord = {
      name,
      mountId,
      ...(initId === undefined ? {} : { initId }),
      ...(parent === undefined ? {} : { parent: parent.record.chainId }),
      ...(mountLabel === undefined ? {} : { mountLabel }),
      ...(labels === undefined ? {} : { labels }),
    };
    const handle = await ctx.commits.run(COMMIT, async () => {
      await step('rw-create.commit', () => ctx.metadata.commitMount(record, mountId));
      return RWLayer.retain(ctx, ctx.mounts.add(record, parent));
    });
    publish('layer-store:mount-created', ctx.paths.root, { name, mountId });
    return handle;
  } catch (error) {
    await ctx.pending.undo(intent);
    throw error;
  }
}

function refuseTakenName(ctx: StoreContext, name: string): void {
  const broken = ctx.broken.find('mount', name);
  if (broken === undefined && ctx.mounts.find(name) === undefined) return;
  throw new LayerStoreError(
    'MOUNT_NAME_CONFLICT',
    broken === undefined
      ? `mount already exists with name ${name}: use another, or release it`
      : `mount already exists with name ${name}, and is damaged: discard it first`,
    { name },
  );
}
