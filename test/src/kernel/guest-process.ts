import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import type { ConsoleTail } from './console-tail.js';
import type { GuestEnd } from './verdict.js';

export interface GuestProcess {
  readonly commandLine: readonly string[];
  readonly preload: string;
  readonly timeoutSeconds: number;
  /** The console is this process's own terminal. */
  readonly interactive: boolean;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Kills every host process of the guest: its kernel, and one for each process in it. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * Boots the guest and waits for its end; the console goes to `show` and into `tail`. A guest that takes too long is killed, and so it
 * is when this process is told to end.
 */
export function runGuest(
  guest: GuestProcess,
  tail: ConsoleTail,
  show: (text: string) => void,
): Promise<Omit<GuestEnd, 'outcome'>> {
  return new Promise((resolve, reject) => {
    let expired = false;
    const child = spawn('/usr/bin/linux.uml', guest.commandLine, {
      cwd: '/',
      env: { LD_PRELOAD: guest.preload, TERM: process.env.TERM ?? 'dumb' },
      stdio: guest.interactive ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      // A group of its own, to kill as a whole; at a terminal it must stay in the foreground.
      detached: !guest.interactive,
    });
    const stop = (): void => {
      if (child.pid === undefined) return;
      if (guest.interactive) child.kill('SIGKILL');
      else killGroup(child.pid);
    };
    const limit = setTimeout(() => {
      expired = true;
      stop();
    }, guest.timeoutSeconds * 1000);
    for (const signal of SIGNALS) process.once(signal, stop);
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new StringDecoder('utf8');
      stream?.on('data', (chunk: Buffer) => show(tail.add(decoder.write(chunk))));
    }
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      clearTimeout(limit);
      for (const name of SIGNALS) process.off(name, stop);
      // A kernel that died leaves the processes it ran.
      stop();
      resolve({
        exitCode,
        signal,
        timedOutAfterSeconds: expired ? guest.timeoutSeconds : undefined,
      });
    });
  });
}
