import { readFileSync } from 'node:fs';

/** Ids there are: what the initial namespace maps to itself. */
const ALL_IDS = 0xffff_ffff;

/** Whether the text of a `/proc/PID/uid_map` is that of the initial user namespace; see user_namespaces(7). */
export function mapsEveryId(uidMap: string): boolean {
  const [first = ''] = uidMap.trim().split('\n');
  const [inside, outside, size] = first.trim().split(/\s+/).map(Number);
  return inside === 0 && outside === 0 && size === ALL_IDS;
}

/**
 * Whether this process is in a user namespace of its own: no `trusted.*` attributes, no devices, and ids that are mapped only.
 * Without /proc/self/uid_map the kernel has no such namespaces.
 */
export function inUserNamespace(): boolean {
  try {
    return !mapsEveryId(readFileSync('/proc/self/uid_map', 'latin1'));
  } catch {
    return false;
  }
}
