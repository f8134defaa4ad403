/** Which extended attributes travel with a file into an archive, and in what form. */
import { LayerStoreError } from '../errors.js';
import { isPrivateXattr } from '../owner-record/owner-record.js';
import type { TarXattr } from '../tar/entry.js';

/**
 * Attribute names to store: exact, or a prefix followed by `*`. Docker stores `security.capability` only and so loses
 * what users set (moby #35699, #43882).
 */
export const DEFAULT_XATTRS: readonly string[] = ['security.capability', 'user.*'];

/**
 * Never stored whatever the allow-list says: the label belongs to the host's policy, the overlay attributes are the
 * storage format of one driver, and private ones a store's own bookkeeping.
 */
const REFUSED_EXACT = 'security.selinux';
const REFUSED_PREFIXES: readonly string[] = ['trusted.overlay.', 'user.overlay.'];

export type XattrPolicy = (name: string) => boolean;

/**
 * @param allowed exact names and `prefix*` patterns, latin-1
 * @throws OPTION_INVALID when a pattern is empty, has NUL, or a `*` anywhere but at its end
 */
export function xattrPolicy(allowed: readonly string[] = DEFAULT_XATTRS): XattrPolicy {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  for (const pattern of allowed) {
    const star = pattern.indexOf('*');
    if (pattern === '' || pattern.includes('\0') || (star !== -1 && star !== pattern.length - 1)) {
      throw new LayerStoreError(
        'OPTION_INVALID',
        `xattrs: "${pattern}" must be an attribute name, or the beginning of one followed by "*"`,
        { option: 'xattrs' },
      );
    }
    if (star === -1) exact.add(pattern);
    else prefixes.push(pattern.slice(0, -1));
  }
  return (name) => {
    if (name === REFUSED_EXACT || isPrivateXattr(name)) return false;
    if (REFUSED_PREFIXES.some((prefix) => name.startsWith(prefix))) return false;
    return exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  };
}

const CAPABILITY = 'security.capability';
const REVISION_OFFSET = 3;
const REVISION_3 = 3;
const REVISION_2 = 2;
/** struct vfs_cap_data of revision 2 (include/uapi/linux/capability.h, XATTR_CAPS_SZ_2). */
const REVISION_2_LENGTH = 20;

/**
 * A file capability of revision 3 names the root of a user namespace of this host; outside it the plain revision 2 is
 * meant (capabilities(7), "Namespaced file capabilities"). Everything else is passed on.
 */
export function portableXattr(name: string, value: Uint8Array): Uint8Array {
  if (name !== CAPABILITY || value[REVISION_OFFSET] !== REVISION_3 || value.length < REVISION_2_LENGTH) {
    return value;
  }
  const plain = Uint8Array.prototype.slice.call(value, 0, REVISION_2_LENGTH);
  plain[REVISION_OFFSET] = REVISION_2;
  return plain;
}

/** Same names and values, both sorted by name. */
export function sameXattrs(a: readonly TarXattr[], b: readonly TarXattr[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((xattr, index) => {
    const other = b[index];
    return (
      other !== undefined &&
      Buffer.compare(xattr.name, other.name) === 0 &&
      Buffer.compare(xattr.value, other.value) === 0
    );
  });
}
