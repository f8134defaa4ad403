import { statfs } from 'node:fs/promises';
import type { DeviceSet } from '../device-set/device-set.js';
import { poolLoops } from '../device-set/pool-growth.js';
import { BASE_HASH } from '../metadata/device-record.js';
import type { PoolLoops } from '../pool/pool-loops.js';
import type { PoolStatus } from '../pool/pool-status.js';
import { type DeviceSetStatus, poolSpace } from '../status/device-set-status.js';
import { statusItems } from '../status/status-items.js';

const NO_LOOPS: PoolLoops = { data: undefined, metadata: undefined };

/** Everything there is to say of an open device set (spec/drivers.md 2.21). A pool that does not answer leaves zeros. */
export async function deviceSetStatus(set: DeviceSet): Promise<DeviceSetStatus> {
  const { core } = set;
  const { options, pool, table, record } = core;
  const loops = await poolLoops(core).catch(() => NO_LOOPS);
  const status: PoolStatus | undefined = await pool.status().catch(() => undefined);
  const base = table.get(BASE_HASH);
  return {
    poolName: pool.name,
    dataFile: loops.data?.device ?? options.dataDevice ?? '',
    dataLoopback: loops.data?.file ?? '',
    metadataFile: loops.metadata?.device ?? options.metadataDevice ?? '',
    metadataLoopback: loops.metadata?.file ?? '',
    baseDeviceSize: base?.size ?? 0,
    baseDeviceFileSystem: record.baseDeviceFilesystem,
    udevSyncSupported: true,
    deferredRemoveEnabled: options.deferredRemoval,
    deferredDeleteEnabled: options.deferredDeletion,
    deferredDeletedDeviceCount: table.tombstones().length,
    ...poolSpace(status, record.thinBlockSectors, options.minFreeSpace, {
      data: await freeBelow(loops.data?.file),
      metadata: await freeBelow(loops.metadata?.file),
    }),
  };
}

/** The same as lines for people, Docker's items in Docker's order. */
export async function deviceSetItems(set: DeviceSet): Promise<readonly (readonly [string, string])[]> {
  return statusItems(await deviceSetStatus(set));
}

/** Bytes that the file system below a loop file can still give. */
async function freeBelow(file: string | undefined): Promise<number | undefined> {
  if (file === undefined) return undefined;
  const { bfree, bsize } = await statfs(file);
  return bfree * bsize;
}
