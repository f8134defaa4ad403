import { open, stat } from 'node:fs/promises';
import { LayerStoreError } from '@x/archive';
import type { DeviceMapper, DeviceTarget } from '../device-mapper/device-mapper.js';
import { SECTOR_SIZE } from '../device-mapper/sector.js';
import { step } from '../failpoints.js';
import type { LoopDevices } from '../loop/loop-devices.js';
import type { PoolLoop } from './pool-loops.js';
import { lowWaterMark, poolTarget } from './pool-table.js';
import type { ThinPool } from './thin-pool.js';

/** New sizes in bytes of the files below a pool; undefined leaves one alone. */
export interface PoolGrowth {
  readonly data?: { readonly loop: PoolLoop; readonly size: number };
  readonly metadata?: { readonly loop: PoolLoop; readonly size: number };
}

/**
 * Grows a pool on loop files while it is in use: the files, then the loop devices, then the table (spec/drivers.md 2.20). The
 * kernel takes a larger data device over when the new table is resumed, a larger metadata device too; suspending is not
 * needed. After a crash a repetition ends in the same state. @throws OPTION_INVALID for a size below the present one
 */
export async function resizePool(
  deviceMapper: DeviceMapper,
  pool: ThinPool,
  loops: LoopDevices,
  growth: PoolGrowth,
): Promise<void> {
  const parts = [growth.metadata, growth.data].filter((part) => part !== undefined);
  for (const part of parts) await assertLarger(part.loop.file, part.size);
  for (const { loop, size } of parts) {
    await step('resize.file', () => enlarge(loop.file, size));
    await step('resize.capacity', () => loops.updateCapacity(loop.device));
  }
  const table = await pool.table();
  const sectors = growth.data === undefined ? table.sectors : Math.floor(growth.data.size / SECTOR_SIZE);
  const lowWater = lowWaterMark(Math.floor(sectors / table.blockSectors));
  const target = poolTarget({ ...table, sectors, lowWater });
  await step('resize.reload', () => deviceMapper.tableLoad(pool.name, [target]));
  try {
    await step('resize.resume', () => deviceMapper.resume(pool.name));
  } catch (error) {
    await restoreTable(deviceMapper, pool.name, poolTarget(table));
    throw error;
  }
}

/**
 * Puts a table back after the kernel refused to resume another: by then that one is live, and the device is suspended with all
 * its users (dm-ioctl.c, do_resume).
 */
export async function restoreTable(
  deviceMapper: DeviceMapper,
  name: string,
  target: DeviceTarget,
): Promise<void> {
  await deviceMapper.tableLoad(name, [target]);
  await deviceMapper.resume(name);
}

async function assertLarger(file: string, size: number): Promise<void> {
  const { size: present } = await stat(file);
  if (size >= present) return;
  throw new LayerStoreError(
    'OPTION_INVALID',
    `${file} has ${present} bytes: a thin pool cannot be made smaller, ${size} is refused`,
    { driver: 'devicemapper', path: file, option: 'size' },
  );
}

async function enlarge(path: string, size: number): Promise<void> {
  await using file = await open(path, 'r+');
  await file.truncate(size);
  await file.sync();
}
