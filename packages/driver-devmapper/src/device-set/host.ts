import type { DeviceMapper, DeviceNumber } from '../device-mapper/device-mapper.js';
import type { DirectLvmConfig } from '../direct-lvm/direct-lvm-config.js';
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
  /** Sets up a pool over LVM, or finds the one it set up before; gives its dm name (spec/drivers.md 2.19). */
  prepareDirectLvm(home: string, config: DirectLvmConfig, force: boolean): Promise<string>;
  /** Waits between attempts at a device that is in use; tests do not. */
  readonly pause?: (milliseconds: number) => Promise<void>;
  /** Number of the block device at a path. */
  deviceNumber(path: string): Promise<DeviceNumber>;
}
