import type { DeviceMapper } from '../device-mapper/device-mapper.js';
import { step } from '../failpoints.js';
import { restoreTable } from '../pool/resize-pool.js';
import type { ThinPool } from '../pool/thin-pool.js';
import type { DeviceNames } from './device-names.js';

/**
 * Brings back to life what a process left suspended that died between suspend and resume: a frozen file system blocks
 * everybody who touches it, for ever (spec/drivers.md 2.5, 9a). First the pool, then the devices on it.
 */
export async function resumeFrozenDevices(
  deviceMapper: DeviceMapper,
  names: DeviceNames,
  options: { readonly ownPool: boolean },
): Promise<void> {
  if (options.ownPool) await resumePool(deviceMapper, names.pool);
  for (const { name } of await deviceMapper.list()) {
    if (!names.owns(name)) continue;
    const info = await deviceMapper.info(name);
    if (info?.suspended === true && info.liveTable)
      await step('recover.resume', () => deviceMapper.resume(name));
  }
}

/** A table that was loaded for growth becomes live; when the kernel refuses it, the one before comes back. */
async function resumePool(deviceMapper: DeviceMapper, pool: string): Promise<void> {
  const info = await deviceMapper.info(pool);
  if (info === undefined || !(info.suspended || info.inactiveTable)) return;
  const [before] = await deviceMapper.tableStatus(pool);
  await step('recover.resume', async () => {
    try {
      await deviceMapper.resume(pool);
    } catch (error) {
      if (!info.inactiveTable || before === undefined) throw error;
      await restoreTable(deviceMapper, pool, before);
    }
  });
}

/** A snapshot of the metadata that a dead process held would make every later look into the pool fail. */
export async function releaseStaleSnapshot(pool: ThinPool): Promise<void> {
  const status = await pool.status();
  if (status.state !== 'active' || status.heldMetadataRoot === undefined) return;
  await step('recover.snapshot', () => pool.releaseMetadataSnapshot());
}
