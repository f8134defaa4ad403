import { appendFileSync } from 'node:fs';

/**
 * Every step of the store that changes durable state, by name. A crash test kills the process before and after each;
 * one that no scenario reaches fails the build.
 */
export const FAILPOINTS = [
  'register.intent',
  'register.clear',
  'register.stage',
  'register.driver-create',
  'register.driver-apply',
  'register.tar-split-finish',
  'register.driver-sync',
  'register.tar-split-rename',
  'register.unstage',
  'register.commit',
  'rw-create.intent',
  'rw-create.init-layer',
  'rw-create.init',
  'rw-create.layer',
  'rw-create.driver-sync',
  'rw-create.commit',
  'release.commit',
  'rw-release.commit',
  'removal.driver-remove',
  'removal.tar-split',
  'removal.finish',
  'undo.driver-remove',
  'undo.files',
  'undo.drop-intent',
] as const;

/** A name of {@link FAILPOINTS}; any other does not compile. */
export type Failpoint = (typeof FAILPOINTS)[number];

/** On which side of the step. */
export type FailpointPhase = 'before' | 'after';

/** Called on both sides of every step while installed. What it throws, the step throws. */
export type FailpointHook = (name: Failpoint, phase: FailpointPhase) => void;

/**
 * `before:NAME` and `after:NAME` kill the process there with SIGKILL; `record:FILE` appends the name of every step that
 * is reached to the file. Read once, when the module is loaded.
 */
export const FAILPOINT_VARIABLE = 'LAYER_STORE_FAILPOINT';

let hook: FailpointHook | undefined = hookOf(process.env[FAILPOINT_VARIABLE]);

/** Installs a hook for tests within one process, or takes it away. Returns the one that was there. */
export function setFailpointHook(next: FailpointHook | undefined): FailpointHook | undefined {
  const previous = hook;
  hook = next;
  return previous;
}

/** Runs one step that changes durable state. Without a hook it costs a comparison. */
export async function step<T>(name: Failpoint, work: () => Promise<T>): Promise<T> {
  if (hook === undefined) return work();
  hook(name, 'before');
  const result = await work();
  hook?.(name, 'after');
  return result;
}

function hookOf(setting: string | undefined): FailpointHook | undefined {
  if (setting === undefined || setting === '') return undefined;
  const colon = setting.indexOf(':');
  const mode = setting.slice(0, colon);
  const argument = setting.slice(colon + 1);
  if (mode === 'record') {
    return (name, phase) => {
      if (phase === 'before') appendFileSync(argument, `${name}\n`);
    };
  }
  if ((mode !== 'before' && mode !== 'after') || !(FAILPOINTS as readonly string[]).includes(argument)) {
    throw new TypeError(`${FAILPOINT_VARIABLE}=${setting} names no failpoint`);
  }
  return (name, phase) => {
    if (name === argument && phase === mode) die();
  };
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal may be taken by another thread first; nothing may run here until it has.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}
