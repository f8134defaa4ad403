import { IoctlDeviceMapper } from './device-mapper/ioctl-device-mapper.js';
import { blockDeviceNumber, blockDevicePath } from './device-set/block-device.js';
import type { DeviceSetHost } from './device-set/host.js';
import { prepareDirectLvm } from './direct-lvm/prepare-direct-lvm.js';
import { HostFileSystems } from './file-system/host-file-systems.js';
import { KernelLoopDevices } from './loop/kernel-loop-devices.js';
import { ThinDumpContents } from './transaction/thin-dump.js';

/** This machine. Throws DRIVER_NOT_SUPPORTED without a device mapper in the kernel. */
export async function openKernelHost(): Promise<DeviceSetHost> {
  return {
    deviceMapper: await IoctlDeviceMapper.open(),
    loops: new KernelLoopDevices(),
    fileSystems: new HostFileSystems(),
    contents: (pool, onReason) =>
      new ThinDumpContents({
        pool,
        metadataDevice: async () => blockDevicePath((await pool.table()).metadataDevice),
        onReason,
      }),
    prepareDirectLvm: (home, config, force) => prepareDirectLvm(home, config, { force }),
    deviceNumber: blockDeviceNumber,
  };
}
