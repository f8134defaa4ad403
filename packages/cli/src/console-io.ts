import type { Readable, Writable } from 'node:stream';

/** The outside world of one invocation, so that tests can put their own in its place. */
export interface ConsoleIo {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly home: string;
  readonly signal: AbortSignal;
}
