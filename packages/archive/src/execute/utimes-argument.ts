/**
 * Seconds since the epoch as `utimes` and its relatives of `node:fs` take them. Node reads a negative number as "now", a numeric
 * text as what it says; times before 1970 are ordinary in archives.
 */
export function utimesArgument(seconds: number): number | string {
  return seconds < 0 ? String(seconds) : seconds;
}
