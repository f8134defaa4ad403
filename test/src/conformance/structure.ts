import { inspect } from 'node:util';

/**
 * Equality by structure. Not `node:util`'s: that compares prototypes, and arrays of another realm (a test framework's sandbox) have
 * others.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b)) {
    return ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && bytesOf(a).equals(bytesOf(b));
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = definedKeys(a);
  if (keys.length !== definedKeys(b).length) return false;
  return keys.every((key) =>
    isEqual((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}

/** A value for a message, on few lines. */
export function show(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value && 'name' in value) {
    const code = 'code' in value ? ` ${String(value.code)}` : '';
    return `${String(value.name)}${code}: ${String(value.message)}`;
  }
  return inspect(value, { depth: 4, maxArrayLength: 40, maxStringLength: 400, breakLength: 120, compact: 4 });
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

function definedKeys(value: object): string[] {
  return Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== undefined);
}
