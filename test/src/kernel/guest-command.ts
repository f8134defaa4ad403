import type { GuestTask } from './harness-options.js';

/** A program to start in the guest. */
export interface GuestCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** System calls take 20 to 40 times as long in the guest, and Jest's own limit is 5 seconds. */
const TEST_TIMEOUT_MS = 300_000;

function hasOption(args: readonly string[], name: string): boolean {
  return args.some((argument) => argument === name || argument.startsWith(`${name}=`));
}

/**
 * The command of a task. Jest runs the tests written for the guest (project `kernel`) unless `--selectProjects` asks for others,
 * in one process: the guest has one processor.
 */
export function guestCommand(task: GuestTask, node: string): GuestCommand {
  switch (task.kind) {
    case 'program':
      return { command: task.program, args: task.args };
    case 'console':
      return { command: 'setsid', args: ['--ctty', '--wait', 'sh', '-i'] };
    case 'jest': {
      const args = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
      if (!hasOption(task.args, '--runInBand') && !hasOption(task.args, '-i')) args.push('--runInBand');
      if (!hasOption(task.args, '--testTimeout')) args.push(`--testTimeout=${TEST_TIMEOUT_MS}`);
      // Last: it takes every word that follows it for a project.
      const selected = hasOption(task.args, '--selectProjects') ? [] : ['--selectProjects', 'kernel'];
      return { command: node, args: [...args, ...task.args, ...selected] };
    }
  }
}
