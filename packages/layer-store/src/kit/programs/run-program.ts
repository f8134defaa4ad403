import { spawn } from 'node:child_process';
import path from 'node:path';
import { findProgram, LayerStoreError, SYSTEM_PROGRAM_DIRECTORIES } from '@x/archive';

/** A program of the system that takes longer than this is stuck. Milliseconds. */
const DEFAULT_TIMEOUT = 120_000;
/** How much of what it writes is kept. */
const KEPT_BYTES = 4 << 20;
/** How much of its complaint goes into a message. */
const COMPLAINT_LENGTH = 2000;

/** Options of {@link runProgram}. */
export interface RunProgramOptions {
  /** Milliseconds, then it is killed. Default two minutes. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Standard input; without it that is empty. */
  readonly input?: Uint8Array;
  /** Beside PATH and LC_ALL=C; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default `/`. */
  readonly cwd?: string;
  /** Exit codes that are an answer and not a failure. Default only 0. */
  readonly accept?: readonly number[];
}

/** What a program left. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Where a program of the system is, or undefined. See {@link SYSTEM_PROGRAM_DIRECTORIES}. */
export function findSystemProgram(name: string): Promise<string | undefined> {
  return findProgram(name, SYSTEM_PROGRAM_DIRECTORIES);
}

/**
 * Runs a program by name or absolute path with an argument array, no shell, and an environment of its own.
 * @throws DRIVER_PREREQUISITES when there is no such program; DRIVER_FAILED with what it wrote to standard error
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramResult> {
  const file = path.isAbsolute(program) ? program : await findSystemProgram(program);
  if (file === undefined) {
    throw new LayerStoreError('DRIVER_PREREQUISITES', `there is no program ${program} here: install it`, {
      name: program,
    });
  }
  options.signal?.throwIfAborted();
  return execute(file, args, options);
}

function execute(file: string, args: readonly string[], options: RunProgramOptions): Promise<ProgramResult> {
  const { timeout = DEFAULT_TIMEOUT, signal, input, env = {}, cwd = '/', accept = [0] } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { PATH: SYSTEM_PROGRAM_DIRECTORIES.join(':'), LC_ALL: 'C', ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
      ...(signal === undefined ? {} : { signal }),
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      if (code !== null && accept.includes(code)) {
        resolve({ exitCode: code, stdout: stdout(), stderr: stderr() });
        return;
      }
      const end = killedBy === null ? `exit status ${code}` : `killed by ${killedBy}`;
      const complaint = stderr().toString().trim().slice(-COMPLAINT_LENGTH);
      reject(
        new LayerStoreError(
          'DRIVER_FAILED',
          `${path.basename(file)} ${args.join(' ')}: ${end}: ${complaint}`,
          {
            name: file,
          },
        ),
      );
    });
    // A program that does not want its input is judged by its exit status.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => Buffer {
  const chunks: Buffer[] = [];
  let kept = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (kept >= KEPT_BYTES) return;
    chunks.push(chunk);
    kept += chunk.length;
  });
  return () => Buffer.concat(chunks);
}
