import { readFileSync } from 'node:fs';

/** What the kernel lets this process do to the files of a layer. */
export interface Privileges {
  /** CAP_CHOWN: give files to other users. */
  readonly chown: boolean;
  /** CAP_MKNOD: make device nodes. */
  readonly mknod: boolean;
  /** CAP_SETFCAP: set `security.capability`. */
  readonly fileCapabilities: boolean;
}

/** Bits of the masks in /proc/PID/status (include/uapi/linux/capability.h). */
const CAP_CHOWN = 0n;
const CAP_MKNOD = 27n;
const CAP_SETFCAP = 31n;

/** Reads the effective set out of the text of a `/proc/PID/status`; a text without one grants nothing. */
export function parsePrivileges(status: string): Privileges {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const has = (bit: bigint): boolean => ((mask >> bit) & 1n) === 1n;
  return { chown: has(CAP_CHOWN), mknod: has(CAP_MKNOD), fileCapabilities: has(CAP_SETFCAP) };
}

/** The privileges of this process. Capabilities and not the user id: a container's root may lack them. */
export function currentPrivileges(): Privileges {
  return parsePrivileges(readFileSync('/proc/self/status', 'latin1'));
}
