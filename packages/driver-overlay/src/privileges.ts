import { readFileSync } from 'node:fs';
import { inUserNamespace } from './probe/user-namespace.js';

/** Bit of the masks in /proc/PID/status (include/uapi/linux/capability.h). */
const CAP_CHOWN = 0n;

/** Whether the effective set in the text of a `/proc/PID/status` has CAP_CHOWN; a text without one grants nothing. */
export function grantsChown(status: string): boolean {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((mask >> CAP_CHOWN) & 1n) === 1n;
}

/**
 * Whether this process can give files to any user, and so unpack layers as their headers say. In a user namespace it can
 * for the ids that are mapped there only, and never make device nodes.
 */
export function ownsEveryId(): boolean {
  return grantsChown(readFileSync('/proc/self/status', 'latin1')) && !inUserNamespace();
}
