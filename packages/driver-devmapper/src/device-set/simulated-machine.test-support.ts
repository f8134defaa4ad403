import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setFailpointHook } from '@x/layer-store/testing';
import type { SimulatedPool } from '../device-mapper/simulated-pool.test-support.js';
import { SimulatedKernel } from '../device-mapper/simulator.test-support.js';
import type { DevmapperFailpoint } from '../failpoints.js';
import { SimulatedFileSystems } from '../file-system/simulated-file-systems.test-support.js';
import { type SimulatedImages, SimulatedLoops } from '../loop/simulated-loops.test-support.js';
import type { DevmapperOptions } from '../options/options.js';
import { DeviceSet } from './device-set.js';
import type { DeviceSetHost } from './host.js';

const MIB = 1 << 20;

/** Small devices, ext4, no discards: what most tests open with. */
export const SMALL: DevmapperOptions = {
  baseSize: 64 * MIB,
  loopDataSize: 128 * MIB,
  loopMetadataSize: 4 * MIB,
  fileSystem: 'ext4',
  blkDiscard: false,
  minFreeSpace: 0,
};

/** Where a simulated process ends. */
export interface KillPoint {
  readonly name: DevmapperFailpoint;
  readonly side: 'before' | 'after';
  /** Which passage of the point, from 1. */
  readonly passage: number;
}

/** A machine with a home on a real file system and everything else simulated; it outlives its processes. */
export class SimulatedMachine implements AsyncDisposable {
  readonly home: string;
  readonly kernel: SimulatedKernel = new SimulatedKernel();
  readonly fileSystems: SimulatedFileSystems = new SimulatedFileSystems(this.kernel);
  readonly #images: SimulatedImages = new Map();
  loops: SimulatedLoops = new SimulatedLoops(this.kernel, this.#images);
  readonly warnings: string[] = [];

  private constructor(home: string) {
    this.home = home;
  }

  static async start(): Promise<SimulatedMachine> {
    return new SimulatedMachine(await mkdtemp('/dev/shm/dm-machine-'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    setFailpointHook(undefined);
    await rm(this.home, { recursive: true });
  }

  /** What a process of this machine works with; calls of a dead process fail without effect. */
  host(isDead: () => boolean = () => false): DeviceSetHost {
    return {
      deviceMapper: mortal(this.kernel.deviceMapper(), isDead),
      loops: mortal(this.loops, isDead),
      fileSystems: mortal(this.fileSystems, isDead),
      contents: (pool) =>
        mortal(
          {
            stampOf: async (id: number) =>
              this.kernel.pool(pool.name).thins.get(id)?.transactionId ?? 'absent',
            deviceIds: async () => [...this.kernel.pool(pool.name).thins.keys()],
          },
          isDead,
        ),
      pause: () => Promise.resolve(),
      prepareDirectLvm: () => Promise.reject(new Error('there is no LVM here')),
      deviceNumber: async (path) => this.kernel.disk(path) ?? Promise.reject(new Error(`no disk ${path}`)),
    };
  }

  open(options: DevmapperOptions = SMALL, host: DeviceSetHost = this.host()): Promise<DeviceSet> {
    return DeviceSet.open({ home: this.home, host, options, warn: (message) => this.warnings.push(message) });
  }

  /** The pool's metadata, whether it is active or not. */
  pool(set: DeviceSet): SimulatedPool {
    return this.kernel.pool(set.core.pool.name);
  }

  /** Runs `work` and tells every point it passes, in order. */
  async record(work: (host: DeviceSetHost) => Promise<unknown>): Promise<KillPoint[]> {
    const passages = new Map<string, number>();
    const points: KillPoint[] = [];
    setFailpointHook((name, side) => {
      const passage = (passages.get(`${side} ${name}`) ?? 0) + 1;
      passages.set(`${side} ${name}`, passage);
      points.push({ name: name as DevmapperFailpoint, side, passage });
    });
    try {
      await work(this.host());
    } finally {
      setFailpointHook(undefined);
    }
    return points;
  }

  /** Runs `work` as a process that is killed there. False: it never got there. */
  killAt(point: KillPoint, work: (host: DeviceSetHost) => Promise<unknown>): Promise<boolean> {
    let passage = 0;
    return this.killWhen((name, side) => {
      if (name === point.name && side === point.side) passage += 1;
      return passage === point.passage;
    }, work);
  }

  /**
   * Runs `work` as a process that is killed where `isEnd` says so: from then on nothing it does has an effect. False: it came
   * to its own end.
   */
  async killWhen(
    isEnd: (name: DevmapperFailpoint, side: 'before' | 'after') => boolean,
    work: (host: DeviceSetHost) => Promise<unknown>,
  ): Promise<boolean> {
    let dead = false;
    setFailpointHook((name, side) => {
      dead ||= isEnd(name as DevmapperFailpoint, side);
      if (dead) throw new Killed();
    });
    try {
      await work(this.host(() => dead));
    } catch (error) {
      if (!dead) throw error;
    } finally {
      setFailpointHook(undefined);
      this.kernel.clearFaults();
    }
    return dead;
  }

  /** Everything active is gone, mounts and loop devices too. */
  reboot(): void {
    this.kernel.reboot();
    for (let index = 0; index < 8; index++) this.kernel.removeDisk(`/dev/loop${index}`);
    this.loops = new SimulatedLoops(this.kernel, this.#images);
    this.fileSystems.mounts.clear();
  }

  /** Everything durable and everything active, to compare: records, pool, devices. */
  async state(): Promise<unknown> {
    const directory = join(this.home, 'metadata');
    const files: Record<string, string> = {};
    for (const name of (await readdir(directory)).toSorted()) {
      files[name] = await readFile(join(directory, name), 'utf8');
    }
    const devices = [...this.kernel.devices.values()].map((device) => ({
      name: device.name,
      live: device.live,
      inactive: device.inactive,
      suspended: device.suspended,
      openCount: device.openCount,
    }));
    const pools = devices
      .filter(({ live }) => live?.[0]?.type === 'thin-pool')
      .map(({ name }) => {
        const { transactionId, heldRoot, thins } = this.kernel.pool(name);
        return { transactionId, heldRoot, thins: [...thins.keys()].toSorted((a, b) => a - b) };
      });
    return { files, devices, pools };
  }
}

class Killed extends Error {
  constructor() {
    super('the process was killed');
  }
}

function mortal<T extends object>(target: T, isDead: () => boolean): T {
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown =>
        isDead() ? Promise.reject(new Killed()) : Reflect.apply(value, object, args);
    },
  });
}
