import { callError } from './call-error.js';
import type {
  DeviceInfo,
  DeviceMapper,
  DeviceMapperVersion,
  DeviceNumber,
  DeviceTarget,
  ListedDevice,
  RemovalOutcome,
  TargetVersion,
} from './device-mapper.js';
import { Errno } from './simulated-errno.test-support.js';
import {
  nodePath,
  type SimulatedDevice,
  type SimulatedKernelState,
} from './simulated-kernel.test-support.js';

const MAJOR = 254;

/** {@link DeviceMapper} over a {@link SimulatedKernelState}. */
export class SimulatedDeviceMapper implements DeviceMapper {
  readonly #kernel: SimulatedKernelState;

  constructor(kernel: SimulatedKernelState) {
    this.#kernel = kernel;
  }

  driverVersion(): Promise<DeviceMapperVersion> {
    return this.#run('driverVersion', '', () => this.#kernel.version);
  }

  listVersions(): Promise<TargetVersion[]> {
    return this.#run('listVersions', '', () => [
      { type: 'thin-pool', major: 1, minor: 22, patch: 0 },
      { type: 'thin', major: 1, minor: 22, patch: 0 },
    ]);
  }

  list(): Promise<ListedDevice[]> {
    return this.#run('list', '', () =>
      [...this.#kernel.devices.values()].map(({ name, minor }) => ({ name, minor, major: MAJOR })),
    );
  }

  create(name: string, options: { readonly uuid?: string } = {}): Promise<DeviceInfo> {
    return this.#run('create', name, () => describe(this.#kernel.newDevice(name, options.uuid ?? '')));
  }

  remove(name: string): Promise<void> {
    return this.#run('remove', name, () => {
      const device = this.#kernel.device(name);
      if (device.openCount > 0) throw new Errno('EBUSY');
      this.#kernel.destroy(device);
    });
  }

  removeDeferred(name: string): Promise<RemovalOutcome> {
    return this.#run('removeDeferred', name, () => {
      const device = this.#kernel.device(name);
      if (device.openCount === 0) {
        this.#kernel.destroy(device);
        return 'removed';
      }
      device.deferredRemove = true;
      return 'deferred';
    });
  }

  cancelDeferredRemove(name: string): Promise<void> {
    return this.#run('cancelDeferredRemove', name, () => {
      this.#kernel.message(this.#kernel.device(name), '@cancel_deferred_remove');
    });
  }

  rename(name: string, newName: string): Promise<void> {
    return this.#run('rename', name, () => {
      const device = this.#kernel.device(name);
      if (this.#kernel.devices.has(newName)) throw new Errno('EBUSY');
      this.#kernel.devices.delete(name);
      device.name = newName;
      this.#kernel.devices.set(newName, device);
    });
  }

  suspend(name: string): Promise<void> {
    return this.#run('suspend', name, () => {
      this.#kernel.device(name).suspended = true;
    });
  }

  resume(name: string): Promise<void> {
    return this.#run('resume', name, () => this.#kernel.resume(this.#kernel.device(name)));
  }

  tableLoad(
    name: string,
    targets: readonly DeviceTarget[],
    options: { readonly readOnly?: boolean } = {},
  ): Promise<void> {
    return this.#run('tableLoad', name, () => {
      const device = this.#kernel.device(name);
      this.#kernel.load(device, targets);
      device.readOnly = options.readOnly ?? false;
    });
  }

  clear(name: string): Promise<void> {
    return this.#run('clear', name, () => this.#kernel.clear(this.#kernel.device(name)));
  }

  tableStatus(name: string): Promise<DeviceTarget[]> {
    return this.#run('tableStatus', name, () => [...(this.#kernel.device(name).live ?? [])]);
  }

  status(name: string): Promise<DeviceTarget[]> {
    return this.#run('status', name, () => this.#kernel.statusOf(this.#kernel.device(name)));
  }

  info(name: string): Promise<DeviceInfo | undefined> {
    return this.#run('info', name, () => {
      const device = this.#kernel.devices.get(name);
      return device === undefined ? undefined : describe(device);
    });
  }

  deps(name: string): Promise<DeviceNumber[]> {
    return this.#run('deps', name, () => this.#kernel.below(this.#kernel.device(name)));
  }

  message(name: string, message: string): Promise<string> {
    const [command = '', ...words] = message.split(' ');
    return this.#run(
      command,
      name,
      () => {
        this.#kernel.message(this.#kernel.device(name), message);
        return '';
      },
      words.join(' '),
    );
  }

  waitEvent(name: string): Promise<DeviceInfo> {
    return this.#run('waitEvent', name, () => describe(this.#kernel.device(name)));
  }

  setGeometry(name: string): Promise<void> {
    return this.#run('setGeometry', name, () => {
      this.#kernel.device(name);
    });
  }

  removeAll(): Promise<void> {
    return this.#run('removeAll', '', () => {
      for (const device of [...this.#kernel.devices.values()].reverse()) {
        if (device.openCount === 0) this.#kernel.destroy(device);
      }
    });
  }

  devicePath(name: string): Promise<string> {
    return this.#run('devicePath', name, () => nodePath(this.#kernel.device(name)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run<T>(call: string, name: string, work: () => T, detail = ''): Promise<T> {
    // As from a thread pool: never in the same turn.
    await Promise.resolve();
    try {
      return this.#kernel.run(call, name, detail, work);
    } catch (error) {
      throw error instanceof Errno ? callError(call, name, error.errno, error) : error;
    }
  }
}

function describe(device: SimulatedDevice): DeviceInfo {
  return {
    name: device.name,
    uuid: device.uuid,
    major: MAJOR,
    minor: device.minor,
    suspended: device.suspended,
    liveTable: device.live !== undefined,
    inactiveTable: device.inactive !== undefined,
    openCount: device.openCount,
    eventNumber: device.eventNumber,
    readOnly: device.readOnly,
    targetCount: device.live?.length ?? 0,
    deferredRemove: device.deferredRemove,
    internalSuspend: false,
  };
}
