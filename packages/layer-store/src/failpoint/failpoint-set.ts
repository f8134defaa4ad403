import { appendFileSync } from 'node:fs';

/** On which side of the step. */
export type FailpointPhase = 'before' | 'after';

/** Called on both sides of every step while installed. What it throws, the step throws. */
export type FailpointHook = (name: string, phase: FailpointPhase) => void;

/**
 * `before:NAME` and `after:NAME` kill the process there with SIGKILL; `record:FILE` appends the name of every step that
 * is reached to the file. Read once, when the module is loaded.
 */
export const FAILPOINT_VARIABLE = 'LAYER_STORE_FAILPOINT';

/** The steps of one component that change durable state. */
export interface FailpointSet<Name extends string> {
  readonly names: readonly Name[];
  /** Runs one step. Without a hook it costs a comparison. */
  readonly step: <T>(name: Name, work: () => Promise<T>) => Promise<T>;
}

let hook: FailpointHook | undefined = hookOf(process.env[FAILPOINT_VARIABLE]);

/**
 * Declares the steps of a component. A crash test kills the process before and after each (`killAt` of
 * `@x/layer-store/testing`); one that no scenario reaches should fail the component's build.
 */
export function defineFailpoints<const Name extends string>(names: readonly Name[]): FailpointSet<Name> {
  return { names, step: runStep };
}

/** Installs a hook for tests within one process, or takes it away. Returns the one that was there. */
export function setFailpointHook(next: FailpointHook | undefined): FailpointHook | undefined {
  const previous = hook;
  hook = next;
  return previous;
}

async function runStep<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (hook === undefined) return work();
  hook(name, 'before');
  const result = await work();
  hook?.(name, 'after');
  return result;
}

function hookOf(setting: string | undefined): FailpointHook | undefined {
  if (setting === undefined || setting === '') return undefined;
  const [, mode, argument] = /^(record|before|after):(.+)$/s.exec(setting) ?? [];
  if (mode === undefined || argument === undefined) {
    throw new TypeError(`${FAILPOINT_VARIABLE}=${setting} is not before:NAME, after:NAME or record:FILE`);
  }
  if (mode === 'record') {
    return (name, phase) => {
      if (phase === 'before') appendFileSync(argument, `${name}\n`);
    };
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
