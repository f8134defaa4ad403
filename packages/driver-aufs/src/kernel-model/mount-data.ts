import type { AufsBranch, BranchPermission } from '../mount/branch.js';
import { KERNEL_OPTION_LIMIT } from '../mount/call-limits.js';

/** An option as aufs understands it. */
export type ModelOption =
  | { readonly kind: 'branches'; readonly branches: readonly ParsedBranch[] }
  | { readonly kind: 'append'; readonly branches: readonly ParsedBranch[] }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'xino'; readonly path: string }
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'context'; readonly label: string }
  | { readonly kind: 'unknown'; readonly text: string };

/** A branch as it was written. */
export interface ParsedBranch {
  readonly path: string;
  /** Undefined: none was given, or one that aufs does not know and ignores. */
  readonly permission: BranchPermission | undefined;
  /** The text cannot be a branch: a second `=`. */
  readonly malformed: boolean;
}

/** How a call's options fit the fixed list that aufs parses them into. */
export type OptionFit = 'fits' | 'E2BIG' | 'panic';

const FLAGS = new Set([
  'noxino',
  'dio',
  'nodio',
  'nodirperm1',
  'dirren',
  'nodirren',
  'plink',
  'noplink',
  'udba=none',
  'udba=reval',
]);

/** What arrives of the data of one call: a page, the last byte of it NUL. */
export function cutAtPage(data: Uint8Array, pageSize: number): Uint8Array {
  return data.subarray(0, pageSize - 1);
}

/** Parses the data of a call that has been cut. `dirperm1`: whether this aufs knows the option. */
export function parseMountData(data: Uint8Array, dirperm1: boolean): ModelOption[] {
  const { label, rest } = takeContext(Buffer.from(data).toString('latin1'));
  const options: ModelOption[] =
    label === undefined ? [] : [{ kind: 'context', label: Buffer.from(label, 'latin1').toString() }];
  for (const text of rest.split(',')) {
    // strsep(3) gives an empty word at a doubled or trailing comma, where aufs stops.
    if (text === '') break;
    options.push(parseOption(text, dirperm1));
  }
  return options;
}

/** SELinux takes its option out before aufs sees the string, and only it knows quotes: a comma between two is no end. */
function takeContext(text: string): { readonly label: string | undefined; readonly rest: string } {
  const kept: string[] = [];
  let label: string | undefined;
  for (const word of text.match(/(?:"[^"]*(?:"|$)|[^",])+/g) ?? []) {
    const context = /^context="([^"]*)"$/.exec(word)?.[1];
    if (context === undefined) kept.push(word);
    else label = context;
  }
  return { label, rest: label === undefined ? text : kept.join(',') };
}

function parseOption(text: string, dirperm1: boolean): ModelOption {
  const value = (prefix: string): string => text.slice(prefix.length);
  if (text.startsWith('br:') || text.startsWith('br=')) {
    return { kind: 'branches', branches: parseBranches(value('br:')) };
  }
  if (text.startsWith('append:') || text.startsWith('append=')) {
    return { kind: 'append', branches: parseBranches(value('append:')) };
  }
  if (text.startsWith('del:')) return { kind: 'delete', path: decoded(value('del:')) };
  if (text.startsWith('xino=')) return { kind: 'xino', path: decoded(value('xino=')) };
  if (FLAGS.has(text) || (dirperm1 && text === 'dirperm1')) return { kind: 'flag', name: text };
  return { kind: 'unknown', text };
}

/** A string cut behind a colon ends in nothing, which is no branch. */
function parseBranches(text: string): ParsedBranch[] {
  const texts = text.split(':');
  const end = texts.indexOf('');
  return (end === -1 ? texts : texts.slice(0, end)).map(parseBranch);
}

function parseBranch(text: string): ParsedBranch {
  const equals = text.indexOf('=');
  if (equals === -1) return { path: decoded(text), permission: undefined, malformed: false };
  const permission = text.slice(equals + 1);
  return {
    path: decoded(text.slice(0, equals)),
    permission: parsePermission(permission),
    malformed: permission.includes('='),
  };
}

/** An attribute that is not known is ignored, the permission in front of it stands. */
function parsePermission(text: string): BranchPermission | undefined {
  if (text === 'rw' || text.startsWith('rw+')) return 'rw';
  if (text === 'ro+wh') return 'ro+wh';
  return text === 'ro' || text.startsWith('ro+') ? 'ro' : undefined;
}

/** What the kernel looks up are bytes; this is how Node names the same file, if the cut left whole characters. */
function decoded(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/**
 * aufs fills a list of 84 options. One too many is E2BIG, unless it is a branch of `br:`: then the list is not terminated, and the
 * kernel walks on behind it (observed: 82 branches with two options behind or in front mount, 83 and 84 in front of them are
 * E2BIG, 85 in front or 83 behind them a panic).
 */
export function optionFit(options: readonly ModelOption[]): OptionFit {
  let count = 0;
  for (const option of options) {
    count += option.kind === 'branches' ? option.branches.length : 1;
    if (count > KERNEL_OPTION_LIMIT) return option.kind === 'branches' ? 'panic' : 'E2BIG';
  }
  return 'fits';
}

/** The permission a branch gets in the end. */
export function effectivePermission(branch: ParsedBranch, first: boolean): BranchPermission {
  return branch.permission ?? (first ? 'rw' : 'ro');
}

/** A branch as the table keeps it. */
export function tableBranch(branch: ParsedBranch, first: boolean): AufsBranch {
  return { path: branch.path, permission: effectivePermission(branch, first) };
}
