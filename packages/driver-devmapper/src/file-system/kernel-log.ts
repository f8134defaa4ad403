import type { NativeCalls } from '@x/native';

/** How much of the kernel's log goes into a message. Bytes. */
const TAIL = 256;

/**
 * The end of the kernel log, for errors whose reason the kernel writes only there (a mount that fails with EINVAL). Empty when
 * the log may not be read.
 */
export function kernelLogTail(calls: Pick<NativeCalls, 'syslogReadAllSync'>): string {
  try {
    return tailOfLog(calls.syslogReadAllSync(16 * 1024).toString('utf8'));
  } catch {
    return '';
  }
}

/** The last lines of a log that fit {@link TAIL}, without their `<level>`; at least the end of the last one. */
export function tailOfLog(log: string): string {
  const lines = log.trimEnd().split('\n');
  let tail = '';
  for (const line of lines.reverse()) {
    const text = line.replace(/^<\d+>/, '');
    if (tail === '') tail = text.slice(-TAIL);
    else if (tail.length + text.length + 1 <= TAIL) tail = `${text}\n${tail}`;
    else break;
  }
  return tail;
}
