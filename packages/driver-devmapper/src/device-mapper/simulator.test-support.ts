import type { DeviceMapper } from './device-mapper.js';
import { SimulatedDeviceMapper } from './simulated-device-mapper.test-support.js';
import { SimulatedKernelState } from './simulated-kernel.test-support.js';

export {
  nodePath,
  type SimulatedDevice,
  type SimulatedDisk,
  type SimulatedFault,
} from './simulated-kernel.test-support.js';

/**
 * A kernel with device mapper and thin pools in memory, for tests on hosts that have neither. It keeps to what was measured
 * on a real kernel (spec/drivers.md 2.7, 2.8, 2.14, 2.26): errnos, EBUSY while open, tables that become live on resume,
 * growth on resume, deferred removal. Contents of metadata devices survive {@link SimulatedKernelState.reboot}.
 */
export class SimulatedKernel extends SimulatedKernelState {
  /** A new opener of the device mapper: another process, in a crash test. */
  deviceMapper(): DeviceMapper {
    return new SimulatedDeviceMapper(this);
  }
}
