import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from './parse-command-line.js';

describe('command line', () => {
  it('takes a driver, and has a default for everything else', () => {
    expect(parseCommandLine(['./my-driver.js'])).toEqual({
      kind: 'check',
      module: './my-driver.js',
      name: undefined,
      workDirectory: undefined,
      options: {},
      grep: '',
      skip: [],
      require: [],
      random: {},
      json: false,
    });
  });

  it('takes options for the driver and for the run', () => {
    const args = ['pkg', '--name', 'n', '--home', 'here', '--option', 'VFS.Size=1=2', '--option', 'b = c'];
    const more = [
      '--grep',
      'g',
      '--skip',
      's',
      '--require',
      'root',
      '--json',
      '--runs',
      '5',
      '--seed=-7',
      '--path',
      '1:0',
    ];
    expect(parseCommandLine([...args, ...more])).toEqual({
      kind: 'check',
      module: 'pkg',
      name: 'n',
      workDirectory: path.resolve('here'),
      options: { 'vfs.size': '1=2', b: 'c' },
      grep: 'g',
      skip: ['s'],
      require: ['root'],
      random: { runs: 5, seed: -7, path: '1:0' },
      json: true,
    });
  });

  it.each([
    ['--help', 'help'],
    ['-h', 'help'],
    ['--list', 'list'],
  ])('%s needs no driver', (option, kind) => {
    expect(parseCommandLine([option])).toEqual({ kind });
  });

  it.each([
    ['--table', 'table'],
    ['--bench', 'bench'],
  ])('%s does something else with the driver', (option, kind) => {
    expect(parseCommandLine(['d', option])).toMatchObject({ kind, module: 'd' });
  });

  it.each<[string[], RegExp]>([
    [[], /no driver given/],
    [['a', 'b'], /unexpected operand b/],
    [['a', '--jsno'], /--jsno/],
    [['a', '--option', 'novalue'], /--option/],
    [['a', '--require', 'wheels'], /--require wheels: known are root/],
    [['a', '--runs', 'many'], /--runs many: must be a whole number/],
    [['a', '--table', '--bench'], /exclude each other/],
    [['a', '--grep'], /grep/],
  ])('%j is wrong usage', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(message);
    expect(() => parseCommandLine(args)).toThrow(expect.objectContaining({ name: 'UsageError' }));
  });
});
