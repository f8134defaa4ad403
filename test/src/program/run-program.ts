import { spawn } from 'node:child_process';

export interface ProgramResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are not a failure; default only 0. */
  readonly accept?: readonly number[];
}

/** Runs a program with an argument array (never a shell), collects its output, and throws on a bad exit or time-out. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { timeoutSeconds = 600, accept = [0] } = options;
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutSeconds * 1000,
      killSignal: 'SIGKILL',
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const result = {
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        seconds: Number(process.hrtime.bigint() - started) / 1e9,
      };
      if (code !== null && accept.includes(code)) resolve(result);
      else
        reject(
          new Error(
            `${program} ${args.join(' ')} ended with ${code ?? signal}:\n${result.stderr.slice(-2000)}${result.stdout.slice(-2000)}`,
          ),
        );
    });
  });
}
