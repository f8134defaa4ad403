/** What `setfattr --restore` reads: the text getfattr(1) writes; pure. */
import type { TarXattr } from '../tar/entry.js';
import { nameBytes, nameOf } from './byte-name.js';

/** The record of one object. @param path latin-1, as setfattr is to look it up */
export function restoreRecord(path: string, xattrs: readonly TarXattr[]): Buffer {
  let text = `# file: ${escaped(path)}\n`;
  for (const { name, value } of xattrs) {
    text += `${escaped(nameOf(name))}=0x${Buffer.from(value).toString('hex')}\n`;
  }
  return nameBytes(`${text}\n`);
}

/** As getfattr writes names: newline, carriage return, backslash and `=` as `\ooo`. */
function escaped(name: string): string {
  return name.replace(
    /[\n\r\\=]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
