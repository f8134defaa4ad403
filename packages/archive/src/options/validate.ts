/**
 * The small checks every boundary uses on its options object. Each takes the name of the API that was called, so that
 * the message says where the bad option was given, and each narrows the type of what it accepted.
 */
import { LayerStoreError } from '../errors.js';

/** Shows a rejected value in a message: type and a bounded excerpt, so that a megabyte string stays out of logs. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'object' || typeof value === 'function') return `a ${typeof value}`;
  return typeof value === 'symbol' ? 'a symbol' : String(value as number | bigint | boolean | undefined);
}

/** Refuses one option value. The message names the API, the option, what was expected and what came. @throws OPTION_INVALID */
export function invalidOption(where: string, option: string, expected: string, value: unknown): never {
  throw new LayerStoreError(
    'OPTION_INVALID',
    `${where}: option "${option}" must be ${expected}, not ${describe(value)}`,
    {
      option,
    },
  );
}

/**
 * `options` is a plain object and has no key but the known ones; a key whose value is `undefined` counts as absent but
 * must still be spelt right.
 * @throws OPTION_INVALID when it is not an object, OPTION_UNKNOWN for the first unknown key
 */
export function assertKnownKeys(
  where: string,
  options: unknown,
  known: readonly string[],
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new LayerStoreError(
      'OPTION_INVALID',
      `${where}: options must be an object, not ${describe(options)}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new LayerStoreError(
      'OPTION_UNKNOWN',
      `${where}: unknown option "${key}"; known are ${known.join(', ')}`,
      {
        option: key,
      },
    );
  }
}

/** A string, non-empty unless `allowEmpty`. @throws OPTION_INVALID */
export function assertString(
  where: string,
  option: string,
  value: unknown,
  allowEmpty = false,
): asserts value is string {
  if (typeof value !== 'string') invalidOption(where, option, 'a string', value);
  if (value === '' && !allowEmpty) invalidOption(where, option, 'a non-empty string', value);
}

/** A string without NUL that can be handed to a system call as a path. @throws OPTION_INVALID */
export function assertPath(where: string, option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    invalidOption(where, option, 'a non-empty path without NUL', value);
  }
}

/** `true` or `false`. @throws OPTION_INVALID */
export function assertBoolean(where: string, option: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') invalidOption(where, option, 'a boolean', value);
}

/** A safe integer within the inclusive range. @throws OPTION_INVALID */
export function assertInteger(
  where: string,
  option: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    invalidOption(where, option, `an integer from ${min} to ${max}`, value);
  }
}

/** One of a closed set of strings. @throws OPTION_INVALID */
export function assertOneOf<T extends string>(
  where: string,
  option: string,
  value: unknown,
  allowed: readonly T[],
): asserts value is T {
  if (typeof value !== 'string' || !(allowed as readonly string[]).includes(value)) {
    invalidOption(where, option, `one of ${allowed.map((entry) => `"${entry}"`).join(', ')}`, value);
  }
}

/** A function. @throws OPTION_INVALID */
export function assertFunction(
  where: string,
  option: string,
  value: unknown,
): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') invalidOption(where, option, 'a function', value);
}

/** An AbortSignal, recognised by shape because Jest and workers have realms of their own. @throws OPTION_INVALID */
export function assertSignal(where: string, option: string, value: unknown): asserts value is AbortSignal {
  const shaped =
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'addEventListener' in value &&
    'reason' in value;
  if (!shaped) invalidOption(where, option, 'an AbortSignal', value);
}

/** A Uint8Array (Buffer included) of any realm. @throws OPTION_INVALID */
export function assertBytes(where: string, option: string, value: unknown): asserts value is Uint8Array {
  if (!ArrayBuffer.isView(value) || Object.prototype.toString.call(value) !== '[object Uint8Array]') {
    invalidOption(where, option, 'a Uint8Array', value);
  }
}

/** An object to iterate with `for await`: a byte source, a Readable. @throws OPTION_INVALID */
export function assertAsyncIterable(
  where: string,
  option: string,
  value: unknown,
): asserts value is AsyncIterable<unknown> {
  const iterable =
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function';
  if (!iterable) invalidOption(where, option, 'a stream or async iterable', value);
}
