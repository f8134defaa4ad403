import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevmapperDriver } from '../devmapper-driver.js';
import type { DevmapperDriverOptions } from '../driver-options.js';
import { parseDevmapperOptions } from '../options/parse-options.js';

/** Small, since system calls are slow in the guest. */
const SMALL: Readonly<Record<string, string>> = {
  'dm.basesize': '48M',
  'dm.loopdatasize': '256M',
  'dm.loopmetadatasize': '8M',
  'dm.fs': 'ext4',
  'dm.min_free_space': '0%',
};

/** A home of the driver on the real kernel; disposing it checks that nothing is left active. */
export class DriverBench implements AsyncDisposable {
  readonly directory: string;
  readonly home: string;
  readonly warnings: string[] = [];
  readonly #drivers: DevmapperDriver[] = [];

  private constructor(directory: string) {
    this.directory = directory;
    this.home = join(directory, 'devicemapper');
  }

  static async open(): Promise<DriverBench> {
    const base = process.env.LAYER_STORE_SCRATCH ?? tmpdir();
    return new DriverBench(await mkdtemp(join(base, 'driver-')));
  }

  /** An open driver; `options` are `dm.*` text, an empty one takes a default of the bench away. */
  async driver(
    options: Readonly<Record<string, string>> = {},
    more: Partial<DevmapperDriverOptions> = {},
  ): Promise<DevmapperDriver> {
    const pairs = Object.entries({ ...SMALL, ...options }).filter(([, value]) => value !== '');
    const driver = new DevmapperDriver({
      home: this.home,
      onWarning: (message) => this.warnings.push(message),
      ...parseDevmapperOptions(pairs),
      ...more,
    });
    await driver.open();
    this.#drivers.push(driver);
    return driver;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const driver of this.#drivers) await driver.close();
    await rm(this.directory, { recursive: true });
  }
}

/** The names of all active devices, sorted. */
export function activeDevices(): string[] {
  const lines = execFileSync('dmsetup', ['ls'], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => (line.includes('\t') ? [line.split('\t')[0] ?? ''] : [])).sort();
}

/** Attached loop devices, a line each. */
export function attachedLoops(): string[] {
  const lines = execFileSync('losetup', ['-a'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line !== '');
}

/** The line of mountinfo for what is mounted at a path. */
export function mountLine(mountPoint: string): string {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.find((line) => line.split(' ')[4] === mountPoint) ?? '';
}
