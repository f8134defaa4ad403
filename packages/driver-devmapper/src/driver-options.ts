import { assertFunction, assertPath, type IdMap } from '@x/archive';
import type { DeviceMapperLog } from './device-mapper/logged-device-mapper.js';
import type { DeviceSetHost } from './device-set/host.js';
import { checkDevmapperOptions } from './options/check-options.js';
import type { DevmapperOptions } from './options/options.js';

/** Options of the driver: where its home is, and every `dm.*` option by its own name. */
export interface DevmapperDriverOptions extends DevmapperOptions {
  /** Absolute directory of the driver, made on open with mode 0700. */
  readonly home: string;
  /** How ids in archives map to ids on disk. */
  readonly idMap?: IdMap;
  /** Told what a person should know and no caller is told: a file put aside, a device left in the pool. */
  readonly onWarning?: (message: string) => void;
  /** Told about calls of the device mapper, as much as `logLevel` says: 3 failures, 4 also expected ones, 6 changes, 7 all. */
  readonly onLog?: DeviceMapperLog;
  /** The machine to work on instead of this one; for tests. Whoever gives it closes it. */
  readonly host?: DeviceSetHost;
}

/** Fails with OPTION_UNKNOWN and OPTION_INVALID. */
export function checkDriverOptions(options: DevmapperDriverOptions): DevmapperDriverOptions {
  const where = 'DevmapperDriver';
  const { home, idMap: _idMap, onWarning, onLog, host: _host, ...own } = options;
  assertPath(where, 'home', home);
  if (onWarning !== undefined) assertFunction(where, 'onWarning', onWarning);
  if (onLog !== undefined) assertFunction(where, 'onLog', onLog);
  checkDevmapperOptions(own);
  return options;
}
