import { chmodSync, chownSync, lstatSync, utimesSync } from 'node:fs';
import { AT_FDCWD, native } from '@x/native';

/** Overlay's own marks, and the label that belongs to the place. */
const NOT_COPIED = /^(?:(?:trusted|user)\.overlay\.|security\.selinux$)/;
const PERMISSIONS = 0o7777;

/**
 * Gives a layer's root the owner, mode, attributes and time of its parent's: overlay shows those of the uppermost. What the
 * process may not set stays as it is, which only matters without privilege.
 */
export function copyRootAttributes(from: string, to: string): void {
  const stat = lstatSync(from, { bigint: true });
  const own = lstatSync(to, { bigint: true });
  const chowned = stat.uid !== own.uid || stat.gid !== own.gid;
  if (chowned) chownSync(to, Number(stat.uid), Number(stat.gid));
  if (native.available) {
    const { calls } = native;
    for (const name of calls.llistxattrSync(from)) {
      if (NOT_COPIED.test(name.toString('latin1'))) continue;
      const value = calls.lgetxattrSync(from, name);
      if (value !== undefined) calls.lsetxattrSync(to, name, value);
    }
  }
  // After the owner: changing that clears bits.
  if (chowned || stat.mode !== own.mode) chmodSync(to, Number(stat.mode) & PERMISSIONS);
  if (native.available) native.calls.utimensatSync(AT_FDCWD, to, stat.atimeNs, stat.mtimeNs, 0);
  else utimesSync(to, Number(stat.atimeMs) / 1000, Number(stat.mtimeMs) / 1000);
}
