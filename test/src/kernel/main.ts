/**
 * `npm run test:kernel`: boots User-Mode Linux on this machine's root and runs tests in it, on a kernel that has device mapper,
 * xfs quota and what else this machine's may lack. How to use it is in test/kernel/README.md.
 */
import path from 'node:path';
import { ConsoleTail } from './console-tail.js';
import { guestCommand } from './guest-command.js';
import { runGuest } from './guest-process.js';
import { type HarnessOptions, HarnessUsageError, parseHarnessOptions } from './harness-options.js';
import { passedEnvironment } from './job.js';
import { createJobDirectory } from './job-directory.js';
import { kernelCommandLine } from './kernel-command-line.js';
import { ensurePrerequisites } from './prerequisites.js';
import { verdictOf } from './verdict.js';

const repository: string = path.resolve(import.meta.dirname, '../../..');

function say(text: string): void {
  process.stderr.write(`kernel harness: ${text}\n`);
}

async function runInGuest(options: HarnessOptions): Promise<number> {
  const interactive = options.task.kind === 'console';
  const inRepository = options.task.kind === 'jest';
  await using job = await createJobDirectory(
    {
      ...guestCommand(options.task, process.execPath),
      cwd: inRepository ? repository : process.cwd(),
      environment: passedEnvironment(process.env),
      interactive,
    },
    options.keep,
  );
  if (options.keep) say(`the guest's files stay in ${job.path}`);
  const tail = new ConsoleTail();
  const end = await runGuest(
    {
      commandLine: kernelCommandLine({
        jobDirectory: job.path,
        memoryMiB: options.memoryMiB,
        disks: job.disks,
      }),
      preload: job.preload,
      timeoutSeconds: options.timeoutSeconds,
      interactive,
    },
    tail,
    (text) => process.stdout.write(text),
  );
  const verdict = verdictOf({ ...end, outcome: await job.readOutcome() }, tail);
  if (verdict.message !== undefined) process.stderr.write(`${verdict.message}\n`);
  return verdict.exitCode;
}

async function main(): Promise<number> {
  const options = parseHarnessOptions(process.argv.slice(2));
  const unable = await ensurePrerequisites(say);
  if (unable === undefined) return runInGuest(options);
  // As every missing capability: a printed skip for a user, a failure in CI.
  if (process.env.CI === 'true') {
    say(`cannot run: ${unable}`);
    return 1;
  }
  say(`skipped, nothing was tested: ${unable}`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof HarnessUsageError)) throw error;
  say(error.message);
  process.exitCode = 64;
}
