/** What to run in the guest. */
export type GuestTask =
  | { readonly kind: 'jest'; readonly args: readonly string[] }
  | { readonly kind: 'program'; readonly program: string; readonly args: readonly string[] }
  | { readonly kind: 'console' };

export interface HarnessOptions {
  readonly task: GuestTask;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  /** The job directory stays, for a look at the disks. */
  readonly keep: boolean;
}

/** The harness was called with arguments that make no sense; the message says which. */
export class HarnessUsageError extends Error {}

const USAGE = `npm run test:kernel -- [--guest-timeout=SECONDS] [--guest-memory=MIB] [--guest-keep]
    [Jest arguments] | --guest-run PROGRAM [ARGUMENTS] | --guest-console`;

function positive(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0) return value;
  throw new HarnessUsageError(`${option} wants a positive whole number, not '${text}'\n${USAGE}`);
}

/**
 * Reads the command line. Options of the harness begin with `--guest-`; all others are Jest's, and what follows `--guest-run` is a
 * command. Throws {@link HarnessUsageError}.
 */
export function parseHarnessOptions(args: readonly string[]): HarnessOptions {
  let options = { timeoutSeconds: 1800, memoryMiB: 2048, keep: false };
  const jest: string[] = [];
  for (const [index, argument] of args.entries()) {
    const [name = '', value = ''] = argument.split(/=(.*)/s, 2);
    if (name === '--guest-timeout') options = { ...options, timeoutSeconds: positive(name, value) };
    else if (name === '--guest-memory') options = { ...options, memoryMiB: positive(name, value) };
    else if (argument === '--guest-keep') options = { ...options, keep: true };
    else if (argument === '--guest-console') return { ...options, task: { kind: 'console' } };
    else if (argument === '--guest-run') {
      const [program, ...rest] = args.slice(index + 1);
      if (program === undefined) throw new HarnessUsageError(`--guest-run wants a program\n${USAGE}`);
      return { ...options, task: { kind: 'program', program, args: rest } };
    } else if (argument.startsWith('--guest-')) {
      throw new HarnessUsageError(`unknown option '${argument}'\n${USAGE}`);
    } else jest.push(argument);
  }
  return { ...options, task: { kind: 'jest', args: jest } };
}
