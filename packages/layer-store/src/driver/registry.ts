import { type IdMap, LayerStoreError } from '@x/archive';
import type { ProbeResult } from './contract.js';
import type { Driver } from './driver.js';

/** What a driver is made with. */
export interface DriverInit {
  /** Absolute directory for everything it keeps. */
  readonly home: string;
  readonly idMap?: IdMap;
  /** The driver's own options (spec/drivers.md 1.8): keys in lower case. */
  readonly options?: Readonly<Record<string, string>>;
}

/** How the store makes a driver it knows by name. Driver packages export one. */
export interface DriverFactory {
  readonly name: string;
  /** Chosen only by name or when its state is found; a warning is given. */
  readonly deprecated?: boolean;
  /** Whether and why the driver can run there. Never throws, makes nothing. */
  probe(home: string): Promise<ProbeResult>;
  create(init: DriverInit): Driver;
}

/** Drivers by name, in the order they were registered. */
export class DriverRegistry {
  readonly #factories = new Map<string, DriverFactory>();

  constructor(factories: Iterable<DriverFactory> = []) {
    for (const factory of factories) this.register(factory);
  }

  /** Throws DRIVER_DUPLICATE. */
  register(factory: DriverFactory): this {
    if (this.#factories.has(factory.name)) {
      throw new LayerStoreError('DRIVER_DUPLICATE', `a driver named ${factory.name} is registered already`, {
        driver: factory.name,
      });
    }
    this.#factories.set(factory.name, factory);
    return this;
  }

  find(name: string): DriverFactory | undefined {
    return this.#factories.get(name);
  }

  /** Throws DRIVER_UNKNOWN. */
  require(name: string): DriverFactory {
    const factory = this.#factories.get(name);
    if (factory !== undefined) return factory;
    const known = [...this.#factories.keys()].join(', ') || 'none';
    throw new LayerStoreError(
      'DRIVER_UNKNOWN',
      `no driver named ${name} is registered (${known}): import its package and pass its factory in drivers`,
      { driver: name },
    );
  }

  all(): DriverFactory[] {
    return [...this.#factories.values()];
  }
}
