import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { pathToFileURL } from 'node:url';
import type { DriverFactory } from '@x/layer-store';
import type { RandomOptions } from './check.js';
import { runDriverConformance } from './run-driver-conformance.js';

/** Memory where there is some: the suite makes and removes tens of thousands of small files. */
export const WORK_DIRECTORY: string = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

/** Declares the suite for a driver of this repository. Skipped where the driver cannot run, but not in CI. */
export async function declareConformance(
  factory: DriverFactory,
  packageName: string,
  exportName: string,
  random: RandomOptions = {},
): Promise<void> {
  const url = pathToFileURL(createRequire(import.meta.url).resolve(packageName)).href;
  runDriverConformance({
    factory,
    module: { url, export: exportName },
    workDirectory: WORK_DIRECTORY,
    random,
    probe: await factory.probe(`${WORK_DIRECTORY}/${factory.name}`),
  });
}
