import type { DeviceMapper, DeviceNumber } from '../device-mapper/device-mapper.js';
import type { ThinFileSystems } from '../file-system/thin-file-systems.js';
import type { LoopDevices } from '../loop/loop-devices.js';
import type { ThinPool } from '../pool/thin-pool.js';
import type { PoolContents } from '../transaction/pool-contents.js';

/** What a device set needs of the machine; tests give it a simulated one. */
export interface DeviceSetHost {
  readonly deviceMapper: DeviceMapper;
  readonly loops: LoopDevices;
  readonly fileSystems: ThinFileSystems;
  /** A look into the pool's metadata from outside; `onReason` is told why there is none. */
  contents(pool: ThinPool, onReason: (reason: string) => void): PoolContents;
  /** Number of the block device at a path. */
  deviceNumber(path: string): Promise<DeviceNumber>;
}
