import type { DeviceMapper } from './device-mapper.js';
import { deviceMapperReason } from './device-mapper-error.js';

/** libdevmapper's levels, as `dm.libdm_log_level` takes them: what is at or below the level is told. */
export const LOG_LEVEL = { fatal: 2, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;

/** Told about calls of the device mapper. */
export type DeviceMapperLog = (level: number, message: string) => void;

/** Calls that change nothing. */
const QUERIES: ReadonlySet<string> = new Set([
  'driverVersion',
  'listVersions',
  'list',
  'tableStatus',
  'status',
  'info',
  'deps',
  'devicePath',
  'waitEvent',
]);

/** Reasons that callers expect and deal with: a busy device is tried again, a missing one is as good as removed. */
const EXPECTED: ReadonlySet<string> = new Set(['Busy', 'Enxio', 'DeviceIDExists', 'NoData']);

/**
 * The same device mapper, telling what it is asked: failures from level 3, expected ones from 4, changes from 6, everything at 7.
 * At level 2 it is the one given: nothing is ever fatal here.
 */
export function loggedDeviceMapper(
  deviceMapper: DeviceMapper,
  level: number,
  log: DeviceMapperLog,
): DeviceMapper {
  if (level < LOG_LEVEL.error) return deviceMapper;
  const tell = (at: number, message: string): void => {
    if (at <= level) log(at, message);
  };
  return new Proxy(deviceMapper, {
    get: (target, key): unknown => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function' || typeof key !== 'string') {
        return typeof member === 'function' ? member.bind(target) : member;
      }
      return (...args: readonly unknown[]): unknown => {
        tell(QUERIES.has(key) ? LOG_LEVEL.debug : LOG_LEVEL.info, describe(key, args));
        const result: unknown = Reflect.apply(member, target, args);
        return result instanceof Promise ? watch(result, describe(key, args), tell) : result;
      };
    },
  });
}

async function watch(
  work: Promise<unknown>,
  what: string,
  tell: (level: number, message: string) => void,
): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    const level = EXPECTED.has(deviceMapperReason(error) ?? '') ? LOG_LEVEL.warning : LOG_LEVEL.error;
    tell(level, `${what} failed: ${String(error)}`);
    throw error;
  }
}

function describe(call: string, args: readonly unknown[]): string {
  return [call, ...args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg)))].join(' ');
}
