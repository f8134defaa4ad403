import { LayerStoreError } from '@x/archive';
import { type AufsBranch, assertExpressible, branchText, MAX_BRANCHES } from './branch.js';
import { type CallLimits, checkCallLimits } from './call-limits.js';

/** A union to be mounted. */
export interface UnionDescription {
  /** Top first: the branch that is written to, then its ancestors, the nearest first. */
  readonly branches: readonly AufsBranch[];
  /** File for aufs's inode numbers, of this mount alone. */
  readonly xino: string;
  /** Directory permissions count on the top branch only. */
  readonly dirperm1: boolean;
  /** SELinux context of everything in the mount. */
  readonly label?: string | undefined;
  /** Further options of the first call, one each. */
  readonly options?: readonly string[];
}

/** One call of mount(2). */
export interface MountStep {
  readonly kind: 'mount' | 'remount';
  /** The data argument, without the NUL that ends it. */
  readonly data: Uint8Array;
  /** How many options the kernel will count. */
  readonly optionCount: number;
  /** What the call adds to the union, in order. */
  readonly branches: readonly AufsBranch[];
}

/**
 * Plans the calls that mount a union: one mount with as many branches as fit, then remounts that append the rest, in
 * order. No step is longer than a page or has more options than allowed. What must not be lost stands in front: options
 * behind `br:` would vanish silently if a kernel cut the string nevertheless.
 *
 * Pure. Every refusal comes before any call: LAYER_MAX_DEPTH for more than 127 branches, OPTION_INVALID for a path or label
 * that aufs cannot express, or that no call has room for.
 */
export function planMount(union: UnionDescription, limits: CallLimits): readonly MountStep[] {
  checkCallLimits(limits);
  checkUnion(union);
  const head = headOptions(union);
  const first = fillFirst(head, union.branches, limits);
  return [first, ...fillRemounts(union.branches.slice(first.branches.length), union.label, limits)];
}

/** Plans the calls that append branches to a union that is mounted. Pure; refuses as {@link planMount} does. */
export function planRemounts(
  branches: readonly AufsBranch[],
  label: string | undefined,
  limits: CallLimits,
): readonly MountStep[] {
  checkCallLimits(limits);
  checkBranches(branches);
  checkLabel(label);
  return fillRemounts(branches, label, limits);
}

function fillRemounts(
  branches: readonly AufsBranch[],
  label: string | undefined,
  limits: CallLimits,
): MountStep[] {
  const steps: MountStep[] = [];
  for (let done = 0; done < branches.length; ) {
    const step = fillRemount(labelOption(label), branches.slice(done), limits);
    steps.push(step);
    done += step.branches.length;
  }
  return steps;
}

function checkUnion({ branches, xino, label, options = [] }: UnionDescription): void {
  checkBranches(branches);
  assertExpressible('xino', xino);
  for (const option of options) assertOption('options', option, /[,\0]/);
  checkLabel(label);
}

function checkBranches(branches: readonly AufsBranch[]): void {
  if (branches.length > MAX_BRANCHES) {
    throw new LayerStoreError(
      'LAYER_MAX_DEPTH',
      `max depth exceeded: aufs mounts at most ${MAX_BRANCHES} layers, not ${branches.length}: squash the chain`,
      { actual: String(branches.length), expected: String(MAX_BRANCHES) },
    );
  }
  for (const { path } of branches) assertExpressible('branch', path);
}

/** Within the quotes a comma is part of the context, as in s0:c1,c2; a quote ends it. */
function checkLabel(label: string | undefined): void {
  if (label !== undefined) assertOption('mountLabel', label, /["\0]/);
}

function assertOption(option: string, text: string, forbidden: RegExp): void {
  if (text !== '' && !forbidden.test(text)) return;
  throw new LayerStoreError(
    'OPTION_INVALID',
    `${option}: ${JSON.stringify(text)} cannot be given to mount(2)`,
    { option },
  );
}

/** The label first: SELinux looks for it in the whole string, and a quote in a path before it would hide it. */
function headOptions({ xino, dirperm1, label, options = [] }: UnionDescription): readonly string[] {
  return [...labelOption(label), `xino=${xino}`, 'dio', ...(dirperm1 ? ['dirperm1'] : []), ...options];
}

function labelOption(label: string | undefined): readonly string[] {
  return label === undefined ? [] : [`context="${label}"`];
}

function fillFirst(head: readonly string[], branches: readonly AufsBranch[], limits: CallLimits): MountStep {
  return fill('mount', `${head.join(',')},br:`, ':', head.length, branches, limits);
}

/** Of two branches in one `append:` only the first is added: each has one of its own. */
function fillRemount(
  head: readonly string[],
  branches: readonly AufsBranch[],
  limits: CallLimits,
): MountStep {
  const start = head.map((option) => `${option},`).join('');
  return fill('remount', `${start}append:`, ',append:', head.length, branches, limits);
}

/** As many branches as fit behind `start`, at least one. */
function fill(
  kind: MountStep['kind'],
  start: string,
  separator: string,
  headCount: number,
  branches: readonly AufsBranch[],
  { pageSize, maxOptions }: CallLimits,
): MountStep {
  const room = Math.min(branches.length, maxOptions - headCount);
  const separatorLength = Buffer.byteLength(separator);
  let length = Buffer.byteLength(start) - separatorLength;
  let count = 0;
  while (count < room) {
    const branch = branches[count];
    if (branch === undefined) break;
    const longer = length + separatorLength + Buffer.byteLength(branchText(branch));
    // The last byte of the page is the kernel's NUL.
    if (longer > pageSize - 1) break;
    length = longer;
    count += 1;
  }
  const taken = branches.slice(0, count);
  if (taken.length === 0) throw noRoom(branches[0], headCount, pageSize, maxOptions);
  return {
    kind,
    data: Buffer.from(start + taken.map(branchText).join(separator)),
    optionCount: headCount + taken.length,
    branches: taken,
  };
}

function noRoom(
  branch: AufsBranch | undefined,
  headCount: number,
  pageSize: number,
  maxOptions: number,
): LayerStoreError {
  if (branch === undefined) {
    return new LayerStoreError('OPTION_INVALID', 'a union needs at least one branch', { option: 'branches' });
  }
  return new LayerStoreError(
    'OPTION_INVALID',
    `branch ${branch.path} has no room in a mount call of ${pageSize} bytes and ${maxOptions} options beside ${headCount} others: choose a shorter home or fewer options`,
    { option: 'branches', path: branch.path },
  );
}
