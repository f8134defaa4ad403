import path from 'node:path';
import { VfsDriver } from '@x/driver-vfs';
import type { Driver, DriverCapabilities, DriverFactory } from '@x/layer-store';
import type { DriverModule, MachineNeed } from '../check.js';

/** A driver that breaks one rule on purpose, and which check has to say so. */
export interface BrokenDriver {
  /** What is wrong with it, as the end of "a driver that …". */
  readonly breaks: string;
  readonly factory: DriverFactory;
  /** The check that must fail, by the beginning of `family: name`. */
  readonly check: string;
  /** What its message must say: another failure would be luck. */
  readonly reason: RegExp;
  readonly needs?: readonly MachineNeed[];
  /** For checks that load the driver in another process. */
  readonly module?: DriverModule;
}

/** What the drivers here are made of. */
export type VfsConstructor = new (options: { readonly home: string }) => VfsDriver;

/** vfs, but for what the class does otherwise. */
export function factoryOf(Broken: VfsConstructor): DriverFactory {
  return {
    name: 'vfs',
    probe: (home) => VfsDriver.probe(home),
    create: ({ home }): Driver => new Broken({ home }),
  };
}

/** Where vfs keeps a layer. */
export function layerDirectory(driver: VfsDriver, id: string): string {
  return path.join(driver.home, 'dir', id);
}

/** Makes a driver claim what it does not claim by itself. */
export function claim<D extends Driver>(driver: D, claims: Partial<DriverCapabilities>): D {
  return Object.defineProperty(driver, 'capabilities', {
    value: Object.freeze({ ...driver.capabilities, ...claims }),
  });
}
