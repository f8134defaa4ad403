import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from './parse-command-line.js';
import { UsageError } from './usage-error.js';

describe('parsing a command line', () => {
  it('takes options before and behind the command', () => {
    expect(
      parseCommandLine(['--root', '/r', 'register', '--parent', 'sha256:x', 'a.tar', '-', '--json']),
    ).toEqual({
      command: { kind: 'register', parent: 'sha256:x', files: ['a.tar', '-'] },
      root: '/r',
      driver: undefined,
      driverOptions: {},
      json: true,
    });
  });

  it('collects options of the driver; of one that is repeated the values become a list', () => {
    const options = ['dm.basesize=20G', 'DM.MkfsArg=-O', 'dm.mkfsarg=a=b'].flatMap((o) => [
      '--driver-option',
      o,
    ]);
    expect(parseCommandLine(['ls', ...options]).driverOptions).toEqual({
      'dm.basesize': '20G',
      'dm.mkfsarg': '["-O","a=b"]',
    });
    expect(() => parseCommandLine(['ls', '--driver-option', 'size'])).toThrow(UsageError);
    expect(() => parseCommandLine(['ls', '--driver-option', '=1'])).toThrow(UsageError);
  });

  it('knows the two-word commands', () => {
    expect(parseCommandLine(['rw', 'create', 'c1', '--parent', 'p']).command).toEqual({
      kind: 'rw-create',
      name: 'c1',
      parent: 'p',
    });
    expect(parseCommandLine(['rw', 'export', 'c1', '-o', 'f']).command).toEqual({
      kind: 'rw-export',
      name: 'c1',
      file: 'f',
    });
    expect(parseCommandLine(['rw', 'ls']).command).toEqual({ kind: 'rw-ls' });
  });

  it('collects repeated --keep', () => {
    expect(parseCommandLine(['prune', '--keep', 'a', '--keep', 'b']).command).toEqual({
      kind: 'prune',
      keep: ['a', 'b'],
    });
  });

  it('answers --help and --version whatever else is there', () => {
    expect(parseCommandLine(['register', '-h']).command.kind).toBe('help');
    expect(parseCommandLine(['--version']).command.kind).toBe('version');
  });

  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no command', [], /no command/],
    ['an unknown command', ['regster', 'x'], /unknown command: regster/],
    ['an unknown rw command', ['rw', 'destroy', 'x'], /unknown command: rw destroy/],
    ['rw alone', ['rw'], /unknown command: rw/],
    ['a name of an object member', ['constructor'], /unknown command/],
    ['a missing operand', ['export'], /needs CHAIN/],
    ['a surplus operand', ['inspect', 'a', 'b'], /unexpected operand b/],
    ['an option of another command', ['ls', '--parent', 'x'], /no option --parent/],
    ['an unknown option', ['ls', '--colour'], /colour/],
    ['standard input twice', ['register', '-', '-'], /only once/],
  ];
  it.each(wrong)('refuses %s', (_what, argv, message) => {
    expect(() => parseCommandLine(argv)).toThrow(UsageError);
    expect(() => parseCommandLine(argv)).toThrow(message);
  });
});
