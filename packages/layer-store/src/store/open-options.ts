import path from 'node:path';
import {
  assertBoolean,
  assertKnownKeys,
  assertOneOf,
  assertPath,
  type IdMap,
  invalidOption,
} from '@x/archive';
import type { Driver } from '../driver/driver.js';
import { type DriverFactory, DriverRegistry } from '../driver/registry.js';
import { DRIVER_PRIORITY } from '../driver/selection.js';
import { SILENT_LOGGER, type StoreLogger } from '../events.js';
import type { MetadataStore } from '../metadata/metadata-store.js';

/** Options of `LayerStore.open`. */
export interface OpenOptions {
  /** Directory of the store; made, with mode 0700, when missing. */
  readonly root: string;
  /** A driver, which then belongs to the store; or the name of one in `drivers`; or `'auto'` (the default). */
  readonly driver?: Driver | string;
  /** Drivers that can be named. */
  readonly drivers?: DriverRegistry | Iterable<DriverFactory>;
  /** Order for `'auto'`. Default {@link DRIVER_PRIORITY}. */
  readonly driverPriority?: readonly string[];
  /** Own options of a named driver. */
  readonly driverOptions?: Readonly<Record<string, string>>;
  /** For a named driver; one that is passed in has its own. */
  readonly idMap?: IdMap;
  /** Default: LevelDB in the root. */
  readonly metadata?: MetadataStore;
  /**
   * `keep`: read-write layers that are mounted stay so after `close`, for programs whose mounts are to outlive them. The
   * next opener finds them: `RWLayer.mountedBefore`. Default `unmount`.
   */
  readonly mountsAtClose?: 'unmount' | 'keep';
  /** false: nothing is flushed to disk; a crash of the machine may lose layers. Default true. */
  readonly sync?: boolean;
  /** pino's shape. Default: silent. */
  readonly logger?: StoreLogger;
}

const WHERE = 'LayerStore.open';
const KEYS: readonly (keyof OpenOptions)[] = [
  'root',
  'driver',
  'drivers',
  'driverPriority',
  'driverOptions',
  'idMap',
  'metadata',
  'mountsAtClose',
  'sync',
  'logger',
];

/** {@link OpenOptions}, checked. */
export interface CheckedOpenOptions {
  readonly root: string;
  readonly driver: Driver | string;
  readonly drivers: DriverRegistry;
  readonly driverPriority: readonly string[];
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly idMap: IdMap | undefined;
  readonly metadata: MetadataStore | undefined;
  readonly mountsAtClose: 'unmount' | 'keep';
  readonly sync: boolean;
  readonly logger: StoreLogger;
}

/** Throws OPTION_INVALID, OPTION_UNKNOWN, DRIVER_DUPLICATE. */
export function checkOpenOptions(options: OpenOptions): CheckedOpenOptions {
  assertKnownKeys(WHERE, options, KEYS);
  const {
    root,
    driver = 'auto',
    drivers = [],
    driverPriority = DRIVER_PRIORITY,
    driverOptions = {},
  } = options;
  const { idMap, metadata, mountsAtClose = 'unmount', sync = true, logger = SILENT_LOGGER } = options;
  assertPath(WHERE, 'root', root);
  assertBoolean(WHERE, 'sync', sync);
  assertOneOf(WHERE, 'mountsAtClose', mountsAtClose, ['unmount', 'keep']);
  if (typeof driver === 'string') {
    if (driver === '' || driver.includes('/') || driver.startsWith('.')) {
      invalidOption(WHERE, 'driver', 'a driver, its name, or "auto"', driver);
    }
  } else {
    if (typeof driver !== 'object' || driver === null || typeof driver.applyDiff !== 'function') {
      invalidOption(WHERE, 'driver', 'a driver, its name, or "auto"', driver);
    }
    if (idMap !== undefined) invalidOption(WHERE, 'idMap', 'given to the driver that is passed in', idMap);
    if (options.driverOptions !== undefined) {
      invalidOption(WHERE, 'driverOptions', 'given to the driver that is passed in', driverOptions);
    }
  }
  if (!Array.isArray(driverPriority))
    invalidOption(WHERE, 'driverPriority', 'a list of names', driverPriority);
  return {
    root: path.resolve(root),
    driver,
    drivers: 'require' in drivers ? drivers : new DriverRegistry(drivers),
    driverPriority,
    driverOptions,
    idMap,
    metadata,
    mountsAtClose,
    sync,
    logger,
  };
}
