import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { loadNative } from '@x/native';

/**
 * Everything a layer can say about a tree, one line an object, sorted: type and mode, owner, size, device, modification time to the
 * nanosecond (`times: false` leaves it out), link target, hard-link group, content digest, xattrs. Two trees are equal when their
 * listings are. Names are latin-1, so that any bytes compare.
 */
export function treeListing(root: string, options: { readonly times?: boolean } = {}): readonly string[] {
  const { times = true } = options;
  const lines: string[] = [];
  const firstNames = new Map<string, string>();
  const visit = (directory: Buffer, shown: string): void => {
    const names = readdirSync(directory, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b));
    for (const name of names) {
      const path = Buffer.concat([directory, Buffer.from('/'), name]);
      const label = `${shown}/${name.toString('latin1')}`;
      lines.push(describe(path, label, times, firstNames));
      if (lstatSync(path).isDirectory()) visit(path, label);
    }
  };
  lines.push(describe(Buffer.from(root), '/', times, firstNames));
  visit(Buffer.from(root), '');
  return lines;
}

function describe(path: Buffer, label: string, times: boolean, firstNames: Map<string, string>): string {
  const stat = lstatSync(path, { bigint: true });
  const fields = [label, stat.mode.toString(8), `${stat.uid}:${stat.gid}`];
  if (times) fields.push(`m=${stat.mtimeNs}`);
  if (stat.isCharacterDevice() || stat.isBlockDevice()) fields.push(`dev=${stat.rdev}`);
  if (stat.isSymbolicLink())
    fields.push(`-> ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`);
  if (stat.isFile()) {
    fields.push(`${stat.size} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
  }
  if (stat.nlink > 1n && !stat.isDirectory()) {
    const key = `${stat.dev}:${stat.ino}`;
    const first = firstNames.get(key) ?? label;
    firstNames.set(key, first);
    fields.push(`link=${first}`);
  }
  fields.push(...xattrsOf(path));
  return fields.join(' ');
}

function xattrsOf(path: Buffer): readonly string[] {
  const native = loadNative();
  if (!native.available) return [];
  return native.calls
    .llistxattrSync(path)
    .map((name) => `${name.toString('latin1')}=${native.calls.lgetxattrSync(path, name)?.toString('hex')}`)
    .sort();
}
