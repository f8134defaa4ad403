import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Violation } from '../kernel-model/model-failure.js';
import { UnionTable } from '../kernel-model/union-table.js';
import type { AufsBranch } from './branch.js';
import {
  type CallLimits,
  DEFAULT_MAX_OPTIONS,
  KERNEL_OPTION_LIMIT,
  LARGEST_MAX_OPTIONS,
} from './call-limits.js';
import { type MountStep, planMount, type UnionDescription } from './plan-mount.js';

const TARGET = '/mnt';
const KIB = 1024;
const LIMITS: CallLimits = { pageSize: 4 * KIB, maxOptions: DEFAULT_MAX_OPTIONS };

function unionOf(paths: readonly string[], rest: Partial<UnionDescription> = {}): UnionDescription {
  const branches = paths.map(
    (path, index): AufsBranch => ({ path, permission: index === 0 ? 'rw' : 'ro+wh' }),
  );
  return { branches, xino: '/dev/shm/aufs.xino', dirperm1: true, ...rest };
}

const numbered = (count: number, length = 60): string[] =>
  Array.from({ length: count }, (_, index) => `/${String(index).padStart(length - 1, 'x')}`);

interface Replay {
  readonly branches: readonly AufsBranch[];
  readonly violations: readonly Violation[];
  readonly label: string | undefined;
  readonly xino: string | undefined;
}

/** What a kernel with such a page makes of the steps, losing in silence what it would lose. */
function replay(steps: readonly MountStep[], pageSize: number): Replay {
  const table = new UnionTable({ pageSize, dirperm1: true, strict: false, lookup: () => 'directory' });
  for (const { kind, data } of steps) {
    if (kind === 'mount') table.mount(TARGET, data);
    else table.remount(TARGET, data);
  }
  const { branches = [], label, xino } = table.unions.get(TARGET) ?? {};
  return { branches, violations: table.violations, label, xino };
}

const texts = (steps: readonly MountStep[]): string[] =>
  steps.map(({ data }) => Buffer.from(data).toString());

describe('planMount', () => {
  it('puts everything into one call when it fits, the options that must not be lost in front', () => {
    const steps = planMount(
      unionOf(['/d/c', '/d/b', '/d/a'], { label: 'system_u:object_r:x_t:s0:c1,c2', options: ['udba=none'] }),
      LIMITS,
    );
    expect(texts(steps)).toEqual([
      'context="system_u:object_r:x_t:s0:c1,c2",xino=/dev/shm/aufs.xino,dio,dirperm1,udba=none,br:/d/c=rw:/d/b=ro+wh:/d/a=ro+wh',
    ]);
    expect(steps[0]?.optionCount).toBe(8);
  });

  it('appends what does not fit, each branch with an append of its own, the label in front', () => {
    const limits = { pageSize: 4 * KIB, maxOptions: 8 };
    const steps = planMount(unionOf(numbered(12, 4), { label: 'u:r:t' }), limits);
    expect(texts(steps)).toEqual([
      'context="u:r:t",xino=/dev/shm/aufs.xino,dio,dirperm1,br:/xx0=rw:/xx1=ro+wh:/xx2=ro+wh:/xx3=ro+wh',
      `context="u:r:t",${[4, 5, 6, 7, 8, 9].map((n) => `append:/xx${n}=ro+wh`).join(',')},append:/x10=ro+wh`,
      'context="u:r:t",append:/x11=ro+wh',
    ]);
  });

  it('a quote in a path does not hide the label', () => {
    const steps = planMount(unionOf(['/a"', '/b'], { xino: '/x"', label: 'u:r:t' }), LIMITS);
    expect(replay(steps, 4 * KIB).label).toBe('u:r:t');
    expect(replay(steps, 4 * KIB).branches).toHaveLength(2);
  });

  it('leaves out dirperm1 where the kernel does not know it', () => {
    const [text] = texts(planMount(unionOf(['/a'], { dirperm1: false }), LIMITS));
    expect(text).toBe('xino=/dev/shm/aufs.xino,dio,br:/a=rw');
  });

  it('counts bytes and not characters', () => {
    const paths = numbered(40).map((path) => path.replaceAll('x', 'ü'));
    for (const { data } of planMount(unionOf(paths), LIMITS)) expect(data.length).toBeLessThan(4 * KIB);
    expect(replay(planMount(unionOf(paths), LIMITS), 4 * KIB).branches).toHaveLength(40);
  });

  it('fills a page to its last byte but the NUL', () => {
    const free = (length: number): number =>
      4095 - (planMount(unionOf(['/a', `/${'b'.repeat(length)}`]), LIMITS)[0]?.data.length ?? 0);
    const longest = 1000 + free(1000);
    expect(
      planMount(unionOf(['/a', `/${'b'.repeat(longest)}`]), LIMITS).map(({ data }) => data.length),
    ).toEqual([4095]);
    expect(planMount(unionOf(['/a', `/${'b'.repeat(longest + 1)}`]), LIMITS)).toHaveLength(2);
  });

  it('takes 127 branches and refuses the 128th before any call', () => {
    expect(replay(planMount(unionOf(numbered(127)), LIMITS), 4 * KIB).branches).toHaveLength(127);
    expect(() => planMount(unionOf(numbered(128)), LIMITS)).toThrow(
      expect.objectContaining({ code: 'LAYER_MAX_DEPTH' }),
    );
  });

  it.each([
    ['a colon in a branch', unionOf(['/a', '/b:c'])],
    ['a comma in a branch', unionOf(['/a', '/b,c'])],
    ['an equals sign in a branch', unionOf(['/a=b'])],
    ['a comma in the xino path', unionOf(['/a'], { xino: '/x,y' })],
    ['a quote in the label', unionOf(['/a'], { label: 'x"y' })],
    ['an option that is two', unionOf(['/a'], { options: ['udba=none,sum'] })],
    ['an empty option, at which aufs stops reading', unionOf(['/a'], { options: [''] })],
    ['no branch at all', unionOf([])],
    ['a branch that no call has room for', unionOf(['/a', `/${'b'.repeat(4090)}`])],
    ['a first branch beside which the options have no room', unionOf([`/${'b'.repeat(4060)}`])],
  ])('refuses %s before any call', (_what, union) => {
    expect(() => planMount(union, LIMITS)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it.each([
    ['more options than the kernel has room for', { pageSize: 4 * KIB, maxOptions: LARGEST_MAX_OPTIONS + 1 }],
    ['too few options for a branch', { pageSize: 4 * KIB, maxOptions: 3 }],
    ['a page that no kernel has', { pageSize: 100, maxOptions: 64 }],
  ])('refuses limits with %s', (_what, limits) => {
    expect(() => planMount(unionOf(['/a']), limits)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  it('keeps its distance from the option limit of the kernel', () => {
    expect(LARGEST_MAX_OPTIONS).toBeLessThan(KERNEL_OPTION_LIMIT);
    expect(DEFAULT_MAX_OPTIONS).toBeLessThanOrEqual(LARGEST_MAX_OPTIONS);
  });
});

// --- properties: any paths, counts and pages, each step replayed on the model of the kernel -----------------------------

const PAGE_SIZES = [4 * KIB, 16 * KIB, 64 * KIB] as const;
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789._- +%"\\'.split(''), 'ä', '層', '🜛'];

/** A name of a wanted number of bytes at most, multi-byte characters among them. */
const name = (bytes: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...LETTERS), { minLength: 1, maxLength: bytes }).map((letters) => {
    let text = '';
    for (const letter of letters) if (Buffer.byteLength(text + letter) <= bytes) text += letter;
    return text;
  });

/** Branches beside each other in one home: none is another's ancestor, none twice. */
const unions: fc.Arbitrary<UnionDescription> = fc
  .record({
    home: name(60),
    names: fc.uniqueArray(name(200), { minLength: 1, maxLength: 127, size: 'max' }),
    xino: name(80),
    dirperm1: fc.boolean(),
    label: fc.option(fc.constantFrom('u:r:t:s0', 'u:r:t:s0:c1,c1023'), { nil: undefined }),
    options: fc.subarray(['udba=none', 'noplink']),
  })
  .map(({ home, names, xino, ...rest }) =>
    unionOf(
      names.map((each, index) => `/${home}/${index}-${each}`),
      { xino: `/x/${xino}`, ...rest },
    ),
  );

const limitsFor = (pageSize: number): fc.Arbitrary<CallLimits> =>
  fc.record({
    pageSize: fc.constant(pageSize),
    maxOptions: fc.integer({ min: 8, max: LARGEST_MAX_OPTIONS }),
  });

describe.each(PAGE_SIZES)('any plan for a page of %i bytes', (pageSize) => {
  it('is within every limit, and gives the branches asked for, in order, with their permissions', () => {
    fc.assert(
      fc.property(unions, limitsFor(pageSize), (union, limits) => {
        const steps = planMount(union, limits);
        for (const { data, optionCount } of steps) {
          expect(data.length + 1).toBeLessThanOrEqual(pageSize);
          expect(optionCount).toBeLessThanOrEqual(limits.maxOptions);
          expect(data.includes(0)).toBe(false);
        }
        const outcome = replay(steps, pageSize);
        expect(outcome.violations).toEqual([]);
        expect(outcome.branches).toEqual(union.branches);
        expect(outcome.label).toBe(union.label);
        expect(outcome.xino).toBe(union.xino);
        expect(steps.flatMap(({ branches }) => branches)).toEqual(union.branches);
      }),
      { numRuns: 150 },
    );
  });

  it('takes as much as possible into every call: one branch more is one too many', () => {
    fc.assert(
      fc.property(unions, limitsFor(pageSize), (union, limits) => {
        const steps = planMount(union, limits);
        steps.forEach((step, index) => {
          const next = steps[index + 1]?.branches[0];
          if (next === undefined) return;
          const separator = step.kind === 'mount' ? ':' : ',append:';
          const longer = step.data.length + Buffer.byteLength(`${separator}${next.path}=${next.permission}`);
          expect(longer > pageSize - 1 || step.optionCount === limits.maxOptions).toBe(true);
        });
      }),
      { numRuns: 100 },
    );
  });
});

describe('the replay tells when a limit is broken', () => {
  it('a plan for a larger page loses branches, which the model notes', () => {
    const wide = planMount(unionOf(numbered(60, 150)), { pageSize: 16 * KIB, maxOptions: 64 });
    const outcome = replay(wide, 4 * KIB);
    expect(outcome.branches.length).toBeLessThan(60);
    expect(outcome.violations.map(({ kind }) => kind)).toContain('lost-branch');
  });

  it('for every length of path: a plan for a page too large never passes', () => {
    for (let length = 40; length < 200; length++) {
      const union = unionOf(numbered(60, length), { dirperm1: false });
      const [step] = planMount(union, { pageSize: 64 * KIB, maxOptions: 64 });
      if (step === undefined || step.data.length < 4 * KIB) continue;
      const table = new UnionTable({
        pageSize: 4 * KIB,
        dirperm1: true,
        strict: true,
        lookup: () => 'directory',
      });
      expect(() => table.mount(TARGET, step.data)).toThrow('the kernel model was misused');
    }
  });

  it('a call with too many options crashes the model', () => {
    const data = Buffer.from(`xino=/x,dio,br:${numbered(83, 5).join('=ro+wh:')}=ro+wh`);
    const table = new UnionTable({
      pageSize: 4 * KIB,
      dirperm1: true,
      strict: false,
      lookup: () => 'directory',
    });
    expect(() => table.mount(TARGET, data)).toThrow('the kernel has crashed');
    expect(table.violations).toMatchObject([{ kind: 'crash' }]);
    expect(() => table.umount(TARGET)).toThrow('the kernel has crashed');
  });
});
