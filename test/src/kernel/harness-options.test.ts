import { describe, expect, it } from '@jest/globals';
import { HarnessUsageError, parseHarnessOptions } from './harness-options.js';

describe('the command line of the kernel harness', () => {
  it('is Jest’s, but for the options that begin with --guest-', () => {
    expect(
      parseHarnessOptions([
        'packages/x',
        '--guest-timeout=60',
        '-t',
        'a=b',
        '--guest-memory=512',
        '--guest-keep',
      ]),
    ).toEqual({
      task: { kind: 'jest', args: ['packages/x', '-t', 'a=b'] },
      timeoutSeconds: 60,
      memoryMiB: 512,
      keep: true,
    });
    expect(parseHarnessOptions([])).toEqual({
      task: { kind: 'jest', args: [] },
      timeoutSeconds: 1800,
      memoryMiB: 2048,
      keep: false,
    });
  });

  it('ends where a command begins: what follows belongs to that', () => {
    expect(
      parseHarnessOptions(['--guest-timeout=5', '--guest-run', 'ls', '--guest-keep', '-l']),
    ).toMatchObject({
      task: { kind: 'program', program: 'ls', args: ['--guest-keep', '-l'] },
      timeoutSeconds: 5,
      keep: false,
    });
    expect(parseHarnessOptions(['--guest-console']).task).toEqual({ kind: 'console' });
  });

  it.each([
    [['--guest-timeout=0']],
    [['--guest-timeout=1e3']],
    [['--guest-timeout']],
    [['--guest-memory=2G']],
    [['--guest-run']],
    [['--guest-whatever']],
  ])('is refused when it makes no sense: %j', (args) => {
    expect(() => parseHarnessOptions(args)).toThrow(HarnessUsageError);
    expect(() => parseHarnessOptions(args)).toThrow(/test:kernel/);
  });
});
