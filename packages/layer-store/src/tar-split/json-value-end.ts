import { invalid } from './invalid.js';

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Finds the end of one JSON object that may arrive in pieces; each byte is looked at once. */
export class JsonValueEnd {
  #scanned = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** The offset after the object that begins at `start`, or undefined when `bytes` ends before it does. */
  find(bytes: Uint8Array, start: number): number | undefined {
    if (bytes[start] !== OPEN_BRACE) throw invalid('an entry is not a JSON object');
    for (let at = start + this.#scanned; at < bytes.length; at++) {
      const byte = bytes[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === OPEN_BRACE) {
        this.#depth++;
      } else if (byte === CLOSE_BRACE && --this.#depth === 0) {
        return at + 1;
      }
    }
    this.#scanned = bytes.length - start;
    return undefined;
  }
}
