import type { ConsoleTail } from './console-tail.js';
import type { GuestOutcome } from './job.js';

/** How the guest ended, seen from outside. */
export interface GuestEnd {
  /** What the guest left in its outcome file. */
  readonly outcome: GuestOutcome | undefined;
  readonly timedOutAfterSeconds: number | undefined;
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface Verdict {
  readonly exitCode: number;
  /** What to tell besides the output, when it did not end with an exit code of the command. */
  readonly message: string | undefined;
}

const TAIL_LINES = 60;

/** Told apart from an exit code of Jest, which is 1. */
const GUEST_FAILED = 70;

function report(what: string, tail: ConsoleTail): Verdict {
  const lines = tail.lines(TAIL_LINES).map((line) => `  | ${line}`);
  return {
    exitCode: GUEST_FAILED,
    message: [`kernel harness: ${what}; the console ended with:`, ...lines].join('\n'),
  };
}

/**
 * The exit code of the harness: the command's own, and 70 with the console's tail when the guest did not live to tell it (panic,
 * time-out, death) or could not be set up. An outcome that was written counts, whatever happened while the machine was switched off
 * – except a panic, which then was the kernel's, not the command's, opinion of the run.
 */
export function verdictOf(end: GuestEnd, tail: ConsoleTail): Verdict {
  const { outcome } = end;
  if (tail.panic !== undefined) return report(`the guest panicked: ${tail.panic}`, tail);
  if (end.timedOutAfterSeconds !== undefined) {
    const when = `after ${end.timedOutAfterSeconds} s (--guest-timeout)`;
    return report(
      outcome === undefined ? `no end ${when}` : `the command ended, the guest did not, ${when}`,
      tail,
    );
  }
  if (outcome === undefined)
    return report(`the guest died without an outcome (${end.signal ?? `exit status ${end.exitCode}`})`, tail);
  switch (outcome.kind) {
    case 'exit':
      return { exitCode: outcome.code, message: undefined };
    case 'signal':
      return report(`the command was killed by ${outcome.signal}`, tail);
    case 'setup-failed':
      return report(`the guest could not be set up: ${outcome.message}`, tail);
  }
}
