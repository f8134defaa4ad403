import { readFileSync } from 'node:fs';

/**
 * The most memory this process has had resident, in MiB. Not `resourceUsage().maxRSS`: across fork and exec that begins with what the
 * parent had.
 */
export function peakMemoryMiB(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Math.round(Number(line?.[1]) / 1024);
}
