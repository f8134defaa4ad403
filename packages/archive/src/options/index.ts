export { formatSize } from './format-size.js';
export { parseKeyValue } from './key-value.js';
export { parseBoolean } from './parse-boolean.js';
export { parseSize } from './parse-size.js';
export {
  assertAsyncIterable,
  assertBoolean,
  assertBytes,
  assertFunction,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertPath,
  assertSignal,
  assertString,
  invalidOption,
} from './validate.js';
