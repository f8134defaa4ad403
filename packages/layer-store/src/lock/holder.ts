import { readFile, readlink } from 'node:fs/promises';

/** Who holds a lock file, in enough detail to tell a living process from one that happens to have its number. */
export interface Holder {
  readonly pid: number;
  /** Changes with every boot. */
  readonly bootId: string;
  /** Pids mean something within one pid namespace only. */
  readonly pidNamespace: string;
  /** Clock ticks since boot (proc(5), field 22 of stat). */
  readonly startTime: string;
  /** It holds an open-file-description lock as well: whoever gets that one knows that this holder is dead. */
  readonly kernelLock: boolean;
}

/** This process. */
export async function thisHolder(kernelLock: boolean): Promise<Holder> {
  return {
    pid: process.pid,
    bootId: await bootId(),
    pidNamespace: await pidNamespace(),
    startTime: (await startTime(process.pid)) ?? '',
    kernelLock,
  };
}

/** Reads what a lock file says; undefined when it is not a holder's description (a writer died half way). */
export function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, bootId, pidNamespace, startTime, kernelLock } = JSON.parse(text) as Record<string, unknown>;
    if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined;
    if (typeof bootId !== 'string' || typeof pidNamespace !== 'string' || typeof startTime !== 'string') {
      return undefined;
    }
    return { pid: pid as number, bootId, pidNamespace, startTime, kernelLock: kernelLock === true };
  } catch {
    return undefined;
  }
}

/** Whether the holder still runs; `unknown` when its pids cannot be seen from here. */
export async function holderState(holder: Holder): Promise<'alive' | 'dead' | 'unknown'> {
  if (holder.bootId !== (await bootId())) return 'dead';
  if (holder.pidNamespace !== (await pidNamespace())) return 'unknown';
  return (await startTime(holder.pid)) === holder.startTime ? 'alive' : 'dead';
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
}

function pidNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid');
}

async function startTime(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The command may contain spaces and parentheses; the fields after its last parenthesis do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
