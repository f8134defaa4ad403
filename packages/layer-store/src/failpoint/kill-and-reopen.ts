import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FAILPOINT_VARIABLE, type FailpointPhase } from './failpoint-set.js';

/** A program that operates on a store, run in a process of its own so that it can be killed. */
export interface OperationScript {
  /** A compiled module that Node runs. It tells on standard output, a line each, which operations have returned. */
  readonly module: string;
  readonly arguments: readonly string[];
}

/** How a run ended. */
export interface ScriptOutcome {
  /** SIGKILL came, as the failpoint wanted. */
  readonly killed: boolean;
  readonly exitCode: number | undefined;
  /** Lines the script wrote before its end: operations that had returned. */
  readonly returned: readonly string[];
  readonly errors: string;
}

/** A script that takes longer than this hangs. Milliseconds. */
const TIMEOUT = 60_000;

/** Runs a script to its end and tells which failpoints it reached, in order, repetitions included. */
export async function recordFailpoints(script: OperationScript): Promise<readonly string[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'failpoints-'));
  try {
    const record = path.join(directory, 'reached');
    const outcome = await run(script, `record:${record}`);
    if (outcome.exitCode !== 0) throw new Error(`the script failed without a failpoint: ${outcome.errors}`);
    const lines = (await readFile(record, 'latin1')).split('\n');
    return lines.filter((line) => line !== '');
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Runs a script that is killed before or after the named step. Whoever called looks at the store afterwards. */
export function killAt(script: OperationScript, phase: FailpointPhase, name: string): Promise<ScriptOutcome> {
  return run(script, `${phase}:${name}`);
}

function run({ module, arguments: args }: OperationScript, failpoint: string): Promise<ScriptOutcome> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, [FAILPOINT_VARIABLE]: failpoint }, timeout: TIMEOUT };
    const child = execFile(process.execPath, [module, ...args], options, (_error, stdout, stderr) => {
      resolve({
        killed: child.signalCode === 'SIGKILL',
        exitCode: child.exitCode ?? undefined,
        returned: stdout.split('\n').filter((line) => line !== ''),
        errors: stderr,
      });
    });
  });
}
