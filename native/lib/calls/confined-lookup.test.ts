import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeAddon, failureOf, useDirectory } from '../addon.test-support.js';
import {
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../constants.js';
import { native } from '../loader.js';
import type { OpenHow } from './fs-at.js';

const NAMES = [
  '.',
  '..',
  'a',
  'b',
  'file',
  'up',
  'abs',
  'in',
  'loop',
  'escape',
  'tofile',
  'chain',
  'missing',
];

/** Every path of up to three names, some with a slash before or after. */
function* paths(): Generator<string> {
  for (const one of NAMES) {
    yield* [one, `/${one}`, `${one}/`];
    for (const two of NAMES) {
      yield `${one}/${two}`;
      for (const three of NAMES) yield `${one}/${two}/${three}`;
    }
  }
}

describeAddon('confined lookups', (calls) => {
  const directory = useDirectory();
  let root = -1;

  beforeEach(() => {
    mkdirSync(directory.at('root/a/b/a'), { recursive: true });
    writeFileSync(directory.at('outside'), 'secret');
    writeFileSync(directory.at('root/file'), 'inside');
    writeFileSync(directory.at('root/a/file'), 'deeper');
    for (const [name, target] of [
      ['up', '..'],
      ['abs', '/a/b'],
      ['in', 'a/b'],
      ['loop', 'loop'],
      ['escape', '../../../outside'],
      ['tofile', '/file'],
      ['chain', 'abs/../up/./a'],
      ['a/up', '../..'],
      ['a/abs', '/a'],
      ['a/b/escape', '../../../outside'],
      ['a/tofile', '../file'],
    ] as const) {
      symlinkSync(target, directory.at(`root/${name}`));
    }
    root = openSync(directory.at('root'), O_PATH);
  });
  afterEach(() => closeSync(root));

  /** What an open comes to: the object found, or the error. */
  function outcome(open: (how: OpenHow) => number, how: OpenHow): string {
    let fd: number;
    try {
      fd = open(how);
    } catch (error) {
      return (error as { code: string }).code;
    }
    const { ino } = fstatSync(fd);
    closeSync(fd);
    return `inode ${ino}`;
  }

  const confinements = [
    ['RESOLVE_IN_ROOT', RESOLVE_IN_ROOT],
    ['RESOLVE_BENEATH', RESOLVE_BENEATH],
    ['RESOLVE_IN_ROOT|RESOLVE_NO_SYMLINKS', RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS],
    ['RESOLVE_BENEATH|RESOLVE_NO_MAGICLINKS', RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS],
  ] as const;
  const openings = [
    ['O_PATH', O_PATH],
    ['O_PATH|O_NOFOLLOW', O_PATH | constants.O_NOFOLLOW],
    ['O_RDONLY|O_DIRECTORY', constants.O_RDONLY | constants.O_DIRECTORY],
    ['O_RDONLY|O_NOFOLLOW', constants.O_RDONLY | constants.O_NOFOLLOW],
  ] as const;
  const combinations = confinements.flatMap(([confined, resolve]) =>
    openings.map(([opening, flags]) => [`${confined} with ${opening}`, { flags, resolve }] as const),
  );
  const compare = native.available && native.features.openat2 ? it : it.skip;

  compare.each(combinations)('in user space end where the kernel ends: %s', (_title, how) => {
    let compared = 0;
    for (const path of paths()) {
      const kernel = outcome((given) => calls.openat2Sync(root, path, given), how);
      const walk = outcome((given) => calls.confinedOpenSync(root, path, given), how);
      expect(`${path}: ${walk}`).toBe(`${path}: ${kernel}`);
      compared++;
    }
    expect(compared).toBe(NAMES.length * (3 + NAMES.length + NAMES.length ** 2));
  });

  const both = [
    ['the kernel', (path: string, how: OpenHow, at = root) => calls.openat2Sync(at, path, how)],
    ['the walk', (path: string, how: OpenHow, at = root) => calls.confinedOpenSync(at, path, how)],
  ] as const;

  it.each(both)('by %s never leave the root', (_name, open) => {
    for (const path of [
      'escape',
      'a/b/escape',
      '../outside',
      '/../outside',
      'up/outside',
      'a/up/up/outside',
    ]) {
      const failure = failureOf(() => open(path, { flags: constants.O_RDONLY, resolve: RESOLVE_IN_ROOT }));
      expect(failure).toMatchObject({ code: 'ENOENT', syscall: 'openat2', path });
    }
    for (const path of ['escape', '../outside', '/file', 'tofile']) {
      const failure = failureOf(() => open(path, { flags: constants.O_RDONLY, resolve: RESOLVE_BENEATH }));
      expect(failure).toMatchObject({ code: 'EXDEV', syscall: 'openat2', path });
    }
  });

  it.each(both)('by %s make files inside the root, through links too', (_name, open) => {
    const flags = constants.O_WRONLY | constants.O_CREAT;
    closeSync(open('abs/made', { flags, mode: 0o600, resolve: RESOLVE_IN_ROOT }));
    expect(readFileSync(directory.at('root/a/b/made'), 'utf8')).toBe('');
    symlinkSync('/dangling', directory.at('root/dangles'));
    const exclusive = { flags: flags | constants.O_EXCL, mode: 0o600, resolve: RESOLVE_IN_ROOT };
    expect(failureOf(() => open('dangles', exclusive))).toMatchObject({ code: 'EEXIST' });
    closeSync(open('dangles', { ...exclusive, flags }));
    expect(readFileSync(directory.at('root/dangling'), 'utf8')).toBe('');
  });

  it.each(both)('by %s refuse magic links', (_name, open) => {
    const proc = openSync('/proc/self', O_PATH);
    const how = { flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    expect(failureOf(() => open('root/etc', how, proc))).toMatchObject({ code: 'ELOOP' });
    closeSync(proc);
  });

  it('by the walk admit that they cannot stay on one file system', () => {
    const how = { flags: O_PATH, resolve: RESOLVE_NO_XDEV };
    expect(failureOf(() => calls.confinedOpenSync(root, 'a', how))).toMatchObject({ code: 'ENOSYS' });
  });

  it('by the walk stop at forty links, as those by the kernel do', () => {
    symlinkSync('a', directory.at('root/l0'));
    for (let i = 1; i <= 41; i++) symlinkSync(`l${i - 1}`, directory.at(`root/l${i}`));
    const how = { flags: O_PATH, resolve: RESOLVE_IN_ROOT };
    for (const [, open] of both) {
      closeSync(open('l39', how));
      expect(failureOf(() => open('l40', how))).toMatchObject({ code: 'ELOOP' });
    }
  });
});
