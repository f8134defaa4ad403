/**
 * Names on a Linux file system are bytes. Inside this package a name or path of a tree is a latin-1 string (one
 * character per byte): it concatenates, compares bytewise with `<` and is a map key, and nothing is lost.
 */

/** Bytes of a latin-1 name. */
export function nameBytes(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}

/** Latin-1 name of bytes. */
export function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Latin-1 name of a path given by a caller as text, which Node would hand to the kernel as UTF-8. */
export function nameOfText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** What to hand to a system call: text while it is ASCII (no allocation), bytes otherwise. */
export function callName(name: string): string | Buffer {
  return isAscii(name) ? name : nameBytes(name);
}

/** A latin-1 name for people: decoded as UTF-8 where it is valid. */
export function displayName(name: string): string {
  if (isAscii(name)) return name;
  const text = nameBytes(name).toString('utf8');
  return text.includes('\ufffd') ? name : text;
}

/** Bytewise order of latin-1 names. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `directory/name`, or just the name at the top. */
export function joinName(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** The part after the last slash. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The part before the last slash; empty at the top. */
export function parentName(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false;
  return true;
}
