/** A helper program as a stage of a byte pipeline: bytes into its standard input, bytes out of its standard output. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { basename, isAbsolute } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { ByteSource } from '../byte-source.js';
import { errnoOf, LayerStoreError } from '../errors.js';
import { assertKnownKeys, assertPath, assertSignal, invalidOption } from '../options/validate.js';
import { feed } from './feed.js';
import { SourceReader } from './source-reader.js';
import { StallWatch } from './stall-watch.js';

/** A helper that does nothing for this long while it could work is killed. Milliseconds. */
export const DEFAULT_STALL_TIMEOUT = 60_000;

/** How much of a helper's standard error is kept for the message; the rest is read and dropped. */
const STDERR_KEPT_BYTES = 4096;

export interface CommandStreamOptions {
  /** Absolute path of the program. */
  readonly program: string;
  readonly args?: readonly string[];
  /** What is written to standard input; nothing when absent. Closed in any case. */
  readonly input?: ByteSource;
  /** Milliseconds without progress before the helper is killed; `Infinity` for never. Default 60,000. */
  readonly stallTimeout?: number;
  /** Milliseconds the helper may live at most. Default: no bound. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function milliseconds(option: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !(value > 0)) {
    invalidOption('commandStream', option, 'a positive number of milliseconds', value);
  }
  // setTimeout fires at once for more than 2^31-1.
  return value > 0x7fff_ffff ? Number.POSITIVE_INFINITY : value;
}

/**
 * Runs a program and gives its standard output. It starts with the working directory `/` and an environment of its
 * own, without a shell. Both output pipes are drained at the same time. When the loop is left, the signal aborts or a
 * timeout passes, the program is killed and has been reaped before the iteration ends.
 * @throws COMPRESSION_FAILED with `exit status N: <stderr>`, after everything it wrote, when the program fails;
 * the input's own error when the input fails; OPTION_INVALID, OPTION_UNKNOWN
 */
export async function* commandStream(
  options: CommandStreamOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  assertKnownKeys('commandStream', options, [
    'program',
    'args',
    'input',
    'stallTimeout',
    'timeout',
    'signal',
  ]);
  const { program, args = [], input, signal } = options;
  assertPath('commandStream', 'program', program);
  if (!isAbsolute(program)) invalidOption('commandStream', 'program', 'an absolute path', program);
  if (signal !== undefined) assertSignal('commandStream', 'signal', signal);
  const stallTimeout = milliseconds('stallTimeout', options.stallTimeout, DEFAULT_STALL_TIMEOUT);
  const timeout = milliseconds('timeout', options.timeout, Number.POSITIVE_INFINITY);
  signal?.throwIfAborted();

  const name = basename(program);
  const reader = new SourceReader(input ?? nothing(), signal);
  const child: Child = spawn(program, args, {
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stopped: { readonly reason: unknown } | undefined;
  const stop = (reason: unknown): void => {
    stopped ??= { reason };
    child.kill('SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const tooSlow = (what: string): void =>
    stop(new LayerStoreError('COMPRESSION_FAILED', `${name} ${what} and was killed`));
  const watch = new StallWatch(stallTimeout, () => tooSlow(`made no progress for ${stallTimeout} ms`));
  const deadline = Number.isFinite(timeout)
    ? setTimeout(() => tooSlow(`ran for ${timeout} ms`), timeout)
    : undefined;
  const onAbort = (): void => stop(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });

  const exit = exitOf(child);
  const stderr = keepHead(child.stderr, () => watch.progress());
  const feeding = feed(reader, child.stdin, watch);
  try {
    watch.wanted = true;
    try {
      for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
        watch.wanted = false;
        yield chunk;
        watch.wanted = true;
      }
    } catch (error) {
      stop(error);
    }
    const [ended] = await Promise.all([exit, stderr]);
    watch.stop();
    // A program may finish without reading all of its input; the input's failure counts only if it was reported first.
    await reader.close();
    const fed = await feeding;
    if (stopped !== undefined) throw stopped.reason;
    if (fed.failure !== undefined) throw fed.failure.reason;
    if (ended !== undefined) throw exitError(name, program, ended, await stderr);
  } finally {
    watch.stop();
    clearTimeout(deadline);
    signal?.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    await reader.close();
    await Promise.all([exit, feeding]);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

type Ending = { readonly status: string } | { readonly spawn: unknown };

/** Resolves once the process is gone: `undefined` for exit status 0. Never rejects. */
function exitOf(child: Child): Promise<Ending | undefined> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ spawn: error });
    });
    child.once('exit', (code, killedBy) => {
      if (code === 0) resolve(undefined);
      else resolve({ status: code === null ? `killed by ${killedBy}` : `exit status ${code}` });
    });
  });
}

function exitError(name: string, program: string, ending: Ending, stderr: string): LayerStoreError {
  if ('spawn' in ending) {
    const errno = errnoOf(ending.spawn);
    return new LayerStoreError('COMPRESSION_FAILED', `${name} could not be started`, {
      path: program,
      syscall: 'spawn',
      ...(errno === undefined ? {} : { errno }),
      cause: ending.spawn,
    });
  }
  return new LayerStoreError('COMPRESSION_FAILED', `${name}: ${ending.status}: ${stderr}`, { path: program });
}

/** Reads a stream to its end, so that its writer never blocks, and keeps only the beginning. Never rejects. */
function keepHead(stream: Readable, onData: () => void): Promise<string> {
  const kept: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    onData();
    if (length < STDERR_KEPT_BYTES) kept.push(chunk.subarray(0, STDERR_KEPT_BYTES - length));
    length += chunk.byteLength;
  });
  stream.on('error', () => undefined);
  return new Promise((resolve) => {
    stream.once('close', () => {
      const text = Buffer.concat(kept).toString('latin1').trim();
      resolve(length > STDERR_KEPT_BYTES ? `${text}…` : text);
    });
  });
}
