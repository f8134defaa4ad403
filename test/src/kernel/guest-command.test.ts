import { describe, expect, it } from '@jest/globals';
import { guestCommand } from './guest-command.js';

const jest = (...args: string[]): readonly string[] =>
  guestCommand({ kind: 'jest', args }, '/usr/bin/node').args;

describe('what is started in the guest', () => {
  it('is Jest on the tests for the guest, with the project after the patterns it would swallow', () => {
    expect(guestCommand({ kind: 'jest', args: ['packages/x', '-t', 'name'] }, '/usr/bin/node')).toEqual({
      command: '/usr/bin/node',
      args: [
        '--experimental-vm-modules',
        '--no-warnings',
        'node_modules/jest/bin/jest.js',
        '--runInBand',
        '--testTimeout=300000',
        ...['packages/x', '-t', 'name'],
        ...['--selectProjects', 'kernel'],
      ],
    });
  });

  it('leaves to the caller what the caller decides', () => {
    expect(jest('--selectProjects', 'unit').slice(-2)).toEqual(['--selectProjects', 'unit']);
    expect(jest('--selectProjects=unit')).not.toContain('kernel');
    expect(jest('-i').filter((argument) => argument === '--runInBand')).toEqual([]);
    expect(jest('--testTimeout=9').filter((argument) => argument.startsWith('--testTimeout'))).toEqual([
      '--testTimeout=9',
    ]);
  });

  it('is any program, its arguments untouched', () => {
    expect(guestCommand({ kind: 'program', program: 'ls', args: ['a b', '*'] }, 'node')).toEqual({
      command: 'ls',
      args: ['a b', '*'],
    });
  });

  it('is a shell that owns its terminal', () => {
    const { command, args } = guestCommand({ kind: 'console' }, 'node');
    expect([command, ...args]).toEqual(['setsid', '--ctty', '--wait', 'sh', '-i']);
  });
});
