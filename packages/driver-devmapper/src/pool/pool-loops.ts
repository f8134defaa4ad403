import type { DeviceNumber } from '../device-mapper/device-mapper.js';
import type { LoopDevices } from '../loop/loop-devices.js';
import type { PoolTable } from './pool-table.js';

/** A loop device and its file. */
export interface PoolLoop {
  readonly device: string;
  readonly file: string;
}

/** Which of a pool's devices are loop devices over the files of this home. */
export interface PoolLoops {
  readonly data: PoolLoop | undefined;
  readonly metadata: PoolLoop | undefined;
}

/**
 * Finds the loop devices behind a pool that was there already (seed 003, spec/drivers.md 2.6.4): those of our files whose
 * numbers the table names. A lookup that fails only leaves its fields empty; `onFailure` is told.
 */
export async function findPoolLoops(
  loops: LoopDevices,
  table: PoolTable,
  files: { readonly data: string | undefined; readonly metadata: string | undefined },
  deviceNumber: (path: string) => Promise<DeviceNumber>,
  onFailure: (message: string) => void,
): Promise<PoolLoops> {
  const find = async (file: string | undefined, reference: string): Promise<PoolLoop | undefined> => {
    if (file === undefined) return undefined;
    try {
      const device = await loops.find(file);
      if (device === undefined) return undefined;
      const { major, minor } = await deviceNumber(device);
      return `${major}:${minor}` === reference ? { device, file } : undefined;
    } catch (error) {
      onFailure(`the loop device of ${file} cannot be found, status will not show it: ${String(error)}`);
      return undefined;
    }
  };
  return {
    data: await find(files.data, table.dataDevice),
    metadata: await find(files.metadata, table.metadataDevice),
  };
}
