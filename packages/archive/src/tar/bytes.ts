/** Byte strings without Node or DOM types: names in archives are bytes, and only pax keys and numbers become text. */

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** V8 keeps arrays up to this size in its own heap; each larger one costs a malloc and a free. */
const IN_HEAP = 64;
/** Copies up to this size share memory of this size with each other. */
const SHARED_COPY = 512;
const SLAB_BYTES = 16 * 1024;
let slab = new ArrayBuffer(SLAB_BYTES);
let slabUsed = 0;

/**
 * A copy of `bytes[start, end)` that does not share memory with it, whatever subclass of Uint8Array `bytes` is. Its buffer may be
 * larger than it.
 */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length <= 0) return EMPTY_BYTES;
  const copy = length > IN_HEAP && length <= SHARED_COPY ? slabBytes(length) : new Uint8Array(length);
  // Names and numbers are most of what a header has; a loop beats the cost of a view and a memmove call for them.
  if (length <= 100) for (let i = 0; i < length; i++) copy[i] = bytes[start + i] ?? 0;
  else copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length));
  return copy;
}

function slabBytes(length: number): Uint8Array {
  if (slabUsed + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabUsed = 0;
  }
  slabUsed += length;
  return new Uint8Array(slab, slabUsed - length, length);
}

/** Index after the last byte before the first NUL in `bytes[start, limit)`. */
export function endOfString(bytes: Uint8Array, start: number, limit: number): number {
  let end = start;
  while (end < limit && bytes[end] !== 0) end++;
  return end;
}

/** Every byte as the character of the same number. */
export function latin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
}

/** The reverse of {@link latin1}; characters above U+00FF keep their low byte only. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** True when every byte is in 0x01..0x7f: what a ustar text field may hold. */
export function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte > 0 && byte < 0x80);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A bounded, quoted excerpt for error messages. */
export function showBytes(bytes: Uint8Array): string {
  return JSON.stringify(latin1(bytes, 0, Math.min(bytes.length, 80)));
}
