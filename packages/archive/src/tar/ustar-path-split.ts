/** Long names in ustar: a prefix of up to 155 bytes and a name of up to 100, with the slash between them left out. */
import { isAscii } from './bytes.js';
import { NAME_LENGTH, PREFIX_LENGTH, SLASH } from './layout.js';

export interface UstarPath {
  readonly prefix: Uint8Array;
  readonly name: Uint8Array;
}

/**
 * Splits at the last slash that leaves a prefix of at most 155 bytes; a slash at the very end of the name is no place to
 * split. Names of up to 100 bytes are never split.
 * @returns undefined when the name need not or cannot be split, or has bytes that ustar does not allow
 */
export function splitUstarPath(path: Uint8Array): UstarPath | undefined {
  if (path.length <= NAME_LENGTH || !isAscii(path)) return undefined;
  const last = path[path.length - 1] === SLASH ? path.length - 2 : path.length - 1;
  const slash = path.lastIndexOf(SLASH, Math.min(last, PREFIX_LENGTH));
  const rest = path.length - slash - 1;
  if (slash <= 0 || rest === 0 || rest > NAME_LENGTH) return undefined;
  return { prefix: path.subarray(0, slash), name: path.subarray(slash + 1) };
}
