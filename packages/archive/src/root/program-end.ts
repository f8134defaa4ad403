/** Waits for a helper program to be gone for good, its pipes included. */
import type { ChildProcess } from 'node:child_process';

export interface ProgramEnd {
  readonly code: number | null;
  /** It could not be started (ENOENT) or was aborted. */
  readonly error: unknown;
}

/** Settles at `close`, which comes after `error` too: before it, pipes to the program may still be open. */
export function programEnd(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    let failure: unknown;
    child.once('error', (error) => {
      failure = error;
    });
    child.once('close', (code) => resolve({ code, error: failure }));
  });
}
