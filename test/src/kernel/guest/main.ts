/** The guest's side of the harness, started by test/kernel/init: makes the machine usable, runs the command, leaves the outcome. */
import { type StdioOptions, spawn } from 'node:child_process';
import { openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { type GuestOutcome, JOB_FILE, type Job, OUTCOME_FILE } from '../job.js';
import { prepareMachine } from './machine.js';

/**
 * Through pipes, so that the command sees no terminal and its output has no colours; or on the terminal itself, not on
 * /dev/console, which cannot send signals.
 */
function standardStreams(job: Job): StdioOptions {
  if (!job.interactive) return ['ignore', 'pipe', 'pipe'];
  const terminal = openSync('/dev/tty0', 'r+');
  return [terminal, terminal, terminal];
}

function run(job: Job, environment: Readonly<Record<string, string>>): Promise<GuestOutcome> {
  return new Promise((resolve) => {
    const child = spawn(job.command, job.args, {
      cwd: job.cwd,
      env: environment,
      stdio: standardStreams(job),
    });
    child.stdout?.pipe(process.stdout, { end: false });
    child.stderr?.pipe(process.stderr, { end: false });
    child.on('error', (error) =>
      resolve({ kind: 'setup-failed', message: `${job.command}: ${error.message}` }),
    );
    child.on('close', (code, signal) =>
      resolve(
        code === null
          ? { kind: 'signal', signal: signal ?? String(constants.signals.SIGKILL) }
          : { kind: 'exit', code },
      ),
    );
  });
}

async function outcomeOf(directory: string): Promise<GuestOutcome> {
  try {
    const job = JSON.parse(readFileSync(`${directory}/${JOB_FILE}`, 'utf8')) as Job;
    const environment = await prepareMachine(directory, job.cwd);
    return await run(job, { ...environment, ...job.environment });
  } catch (error) {
    return { kind: 'setup-failed', message: String((error as { message?: unknown }).message ?? error) };
  }
}

const directory: string = process.argv[2] ?? '/run/job';
const outcome: GuestOutcome = await outcomeOf(directory);
// Whole or not at all: the host takes a missing file for a dead guest.
writeFileSync(`${directory}/${OUTCOME_FILE}.new`, JSON.stringify(outcome), { flush: true });
renameSync(`${directory}/${OUTCOME_FILE}.new`, `${directory}/${OUTCOME_FILE}`);
