import { stat } from 'node:fs/promises';
import { deviceMapperError } from '../device-mapper/device-mapper-error.js';
import type { SimulatedPool } from '../device-mapper/simulated-pool.test-support.js';
import type { SimulatedKernel } from '../device-mapper/simulator.test-support.js';
import { ensureImage } from './ensure-image.js';
import type { AttachedLoop, LoopDevices, LoopImage } from './loop-devices.js';

/** What files hold, by path: outlives loops, pools and reboots of the simulated kernel. */
export type SimulatedImages = Map<string, { pool?: SimulatedPool }>;

/** Real sparse files, loop devices of the simulated kernel. */
export class SimulatedLoops implements LoopDevices {
  readonly #kernel: SimulatedKernel;
  readonly #images: SimulatedImages;
  readonly #attached = new Map<string, string>();

  constructor(kernel: SimulatedKernel, images: SimulatedImages = new Map()) {
    this.#kernel = kernel;
    this.#images = images;
  }

  ensureImage(path: string, size: number): Promise<LoopImage> {
    return ensureImage(path, size);
  }

  async attach(path: string): Promise<AttachedLoop> {
    const { size } = await stat(path);
    const content = this.#images.get(path) ?? {};
    this.#images.set(path, content);
    const loop = this.#freePath();
    const detach = (): void => {
      this.#kernel.removeDisk(loop);
      this.#attached.delete(path);
    };
    const disk = this.#kernel.addDisk(loop, size, content, detach);
    disk.openCount += 1;
    this.#attached.set(path, loop);
    let open = true;
    const close = (): Promise<void> => {
      if (open) disk.openCount -= 1;
      if (open && disk.openCount === 0) detach();
      open = false;
      return Promise.resolve();
    };
    return { path: loop, close, [Symbol.asyncDispose]: close };
  }

  find(path: string): Promise<string | undefined> {
    return Promise.resolve(this.#attached.get(path));
  }

  async updateCapacity(loopDevice: string): Promise<void> {
    const disk = this.#kernel.disk(loopDevice);
    const [file] = [...this.#attached].find(([, loop]) => loop === loopDevice) ?? [];
    if (disk === undefined || file === undefined) {
      throw deviceMapperError('LoopbackSetCapacity', `${loopDevice} is not attached`, { path: loopDevice });
    }
    disk.size = (await stat(file)).size;
  }

  #freePath(): string {
    for (let index = 0; ; index += 1) {
      if (this.#kernel.disk(`/dev/loop${index}`) === undefined) return `/dev/loop${index}`;
    }
  }
}
