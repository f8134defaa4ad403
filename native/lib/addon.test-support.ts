import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from '@jest/globals';
import { O_PATH } from './constants.js';
import { native } from './loader.js';
import type { NativeCalls, NativeError } from './types.js';

/** `describe` where the addon is loaded, a skip that says why where it is not. */
export function describeAddon(title: string, body: (calls: NativeCalls) => void): void {
  if (native.available) {
    const { calls } = native;
    describe(title, () => body(calls));
  } else {
    const { reason } = native;
    describe(title, () => it.skip(`needs the addon: ${reason}`, () => undefined));
  }
}

/** A fresh directory per test, removed after it. `at(name)` is a path in it. */
export function useDirectory(base: string = tmpdir()): { at(name: string): string; open(): number } {
  let directory: string | undefined;
  const ensure = (): string => (directory ??= mkdtempSync(join(base, 'native-')));
  afterEach(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    directory = undefined;
  });
  return { at: (name) => join(ensure(), name), open: () => openSync(ensure(), O_PATH) };
}

/** What `action` throws, for assertions on its fields; fails when it throws nothing. */
export function failureOf(action: () => unknown): NativeError {
  try {
    action();
  } catch (error) {
    return error as NativeError;
  }
  throw new Error('expected a failure');
}

/** The same for a promise. */
export async function rejectionOf(promise: Promise<unknown>): Promise<NativeError> {
  return promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: unknown) => error as NativeError,
  );
}

/** How many descriptors this process has open. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

const NOBODY = 65534;
const addonUrl: string = new URL('./index.js', import.meta.url).href;

/**
 * Runs a function body with `calls` in scope in another process, as nobody when this one is root, and gives what it returned
 * (JSON). A body that throws gives `{ code, syscall }`.
 */
export function runUnprivileged(body: string): unknown {
  return runElsewhere(body, process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {});
}

/** The same with this process's own rights. */
export function runElsewhere(
  body: string,
  identity: { readonly uid?: number; readonly gid?: number } = {},
): unknown {
  const script = `
    import { loadNative } from ${JSON.stringify(addonUrl)};
    const { calls } = loadNative();
    let answer;
    try { answer = (function () { ${body} })(); }
    catch (error) { answer = { code: error.code, syscall: error.syscall }; }
    process.stdout.write(JSON.stringify(answer ?? null));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    ...identity,
    cwd: '/',
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

/** Root in the initial user namespace: what mounts, device nodes and owners need. */
export const privileged: boolean = process.getuid?.() === 0;

const withoutLoops: string | undefined = !privileged
  ? 'needs root'
  : existsSync('/dev/loop-control')
    ? undefined
    : 'the kernel has no loop devices';

/** `it` where loop devices can be attached; elsewhere a skip that says why not. */
export const withLoops: (name: string, body: () => void | Promise<void>) => void =
  withoutLoops === undefined ? it : (name) => it.skip(`${name} (${withoutLoops})`, () => undefined);
