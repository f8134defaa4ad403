import { LayerStoreError } from '@x/archive';
import { findPoolLoops, type PoolLoops } from '../pool/pool-loops.js';
import { assertGrowable } from '../pool/pool-usability.js';
import { resizePool } from '../pool/resize-pool.js';
import type { DeviceSetCore } from './device-set-core.js';
import { fileSize, loopFile } from './pool-set-up.js';

/** New sizes of the loop files in bytes. */
export interface PoolSizes {
  readonly data?: number;
  readonly metadata?: number;
}

/** The loop devices and files behind the pool, those that are ours and attached. */
export async function poolLoops(core: DeviceSetCore): Promise<PoolLoops> {
  const { home, host, options } = core;
  const own = options.thinPoolDevice === undefined;
  const files = {
    data: own && options.dataDevice === undefined ? loopFile(home, 'data') : undefined,
    metadata: own && options.metadataDevice === undefined ? loopFile(home, 'metadata') : undefined,
  };
  return findPoolLoops(
    host.loops,
    await core.pool.table(),
    files,
    (path) => host.deviceNumber(path),
    core.warn,
  );
}

/**
 * Grows a pool on loop files while layers are in use (spec/drivers.md 2.20). DRIVER_NOT_SUPPORTED for a pool on other devices:
 * who made those grows them. OPTION_INVALID for a smaller size.
 */
export function growPool(core: DeviceSetCore, sizes: PoolSizes): Promise<void> {
  return core.locks.withPool(async () => {
    assertGrowable(await core.pool.status(), core.pool.name);
    const loops = await poolLoops(core);
    const part = (which: 'data' | 'metadata') => {
      const size = sizes[which];
      if (size === undefined) return {};
      const loop = loops[which];
      if (loop === undefined) throw notOnLoop(core, which);
      return { [which]: { loop, size } };
    };
    const growth = { ...part('metadata'), ...part('data') };
    await resizePool(core.host.deviceMapper, core.pool, core.host.loops, growth);
  });
}

/**
 * Makes a pool that was active already as large as the options ask for, as one made anew would be. What is not on loop files
 * of this home is passed over.
 */
export async function growAdoptedPool(core: DeviceSetCore): Promise<void> {
  const { loopDataSize, loopMetadataSize } = core.options;
  if (loopDataSize === undefined && loopMetadataSize === undefined) return;
  const loops = await poolLoops(core);
  const data = await ifLarger(loops.data?.file, loopDataSize);
  const metadata = await ifLarger(loops.metadata?.file, loopMetadataSize);
  if (data === undefined && metadata === undefined) return;
  await growPool(core, {
    ...(data === undefined ? {} : { data }),
    ...(metadata === undefined ? {} : { metadata }),
  });
}

async function ifLarger(file: string | undefined, size: number | undefined): Promise<number | undefined> {
  if (file === undefined || size === undefined) return undefined;
  return size > ((await fileSize(file)) ?? 0) ? size : undefined;
}

function notOnLoop(core: DeviceSetCore, which: string): LayerStoreError {
  return new LayerStoreError(
    'DRIVER_NOT_SUPPORTED',
    `the ${which} device of pool ${core.pool.name} is no loop file of this home: grow it where it was made`,
    { driver: 'devicemapper', name: core.pool.name },
  );
}
