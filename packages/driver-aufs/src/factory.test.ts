import { describe, expect, it } from '@jest/globals';
import { AufsDriver } from './aufs-driver.js';
import { aufsDriver } from './factory.js';
import type { AufsDriverOptions } from './options.js';

const home = '/nowhere/aufs';

describe('aufs made by name', () => {
  it('takes its options as text, with and without the prefix', () => {
    expect(aufsDriver.create({ home, options: { xino: '/dev/shm/x' } }).name).toBe('aufs');
    const options = { 'aufs.mountopt': 'udba=none,noplink', 'AUFS.Max_Mount_Options': '40' };
    expect(aufsDriver.create({ home, options }).home).toBe(home);
    expect(aufsDriver.deprecated).toBe(true);
  });

  it.each([
    ['an option it does not have', { 'aufs.size': '10G' }, 'OPTION_UNKNOWN'],
    ['a number that is none', { max_mount_options: 'many' }, 'OPTION_INVALID'],
    ['more options a call than the kernel survives', { max_mount_options: '84' }, 'OPTION_INVALID'],
    ['fewer than a branch needs', { max_mount_options: '3' }, 'OPTION_INVALID'],
    ['a xino that is relative', { xino: 'x' }, 'OPTION_INVALID'],
    ['a xino that aufs cannot be told', { xino: '/x,y' }, 'OPTION_INVALID'],
    ['branches of its own', { mountopt: 'br:/etc=rw' }, 'OPTION_INVALID'],
    ['a branch to append', { mountopt: 'udba=none,append:/etc=ro' }, 'OPTION_INVALID'],
    ['another xino', { mountopt: 'noxino' }, 'OPTION_INVALID'],
    ['a label', { mountopt: 'context=x' }, 'OPTION_INVALID'],
    ['options with blanks', { mountopt: ' dio' }, 'OPTION_INVALID'],
    ['more options than leave room', { mountopt: 'sum,plink,verbose,quiet' }, 'OPTION_INVALID'],
  ])('refuses %s', (_what, options, code) => {
    expect(() => aufsDriver.create({ home, options })).toThrow(expect.objectContaining({ code }));
  });

  it('refuses bad options in code as well', () => {
    for (const [options, code] of [
      [{ home: 'relative' }, 'OPTION_INVALID'],
      [{ home, branches: [] }, 'OPTION_UNKNOWN'],
      [{ home, onWarning: 'log' }, 'OPTION_INVALID'],
      [{ home, maxMountOptions: 81 }, 'OPTION_INVALID'],
      [{ home, idMap: { uids: [] } }, 'OPTION_INVALID'],
    ] as const) {
      expect(() => new AufsDriver(options as unknown as AufsDriverOptions)).toThrow(
        expect.objectContaining({ code }),
      );
    }
  });
});
