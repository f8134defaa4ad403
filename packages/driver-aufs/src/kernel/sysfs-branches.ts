import type { AufsBranch, BranchPermission } from '../mount/branch.js';

const ESCAPE = /\\([0-7]{3})/g;

/**
 * Parses `/sys/fs/aufs/si_*\/brN`: `<path>=<permission>`, blanks and the like in octal. A permission with attributes this
 * driver never asks for counts as what it begins with.
 */
export function parseSysfsBranch(text: Uint8Array): AufsBranch {
  const line = Buffer.from(text).toString('latin1').replace(/\n$/, '');
  const equals = line.lastIndexOf('=');
  const path = line
    .slice(0, equals)
    .replace(ESCAPE, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return { path: Buffer.from(path, 'latin1').toString(), permission: permissionOf(line.slice(equals + 1)) };
}

function permissionOf(text: string): BranchPermission {
  const [access, ...attributes] = text.split('+');
  if (access === 'rw') return 'rw';
  return attributes.includes('wh') ? 'ro+wh' : 'ro';
}

/** The number in a file name `br<N>`; undefined for `brid<N>` and others. */
export function branchIndex(name: string): number | undefined {
  const digits = /^br(\d+)$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The `si=` number among a union's mount options. */
export function sessionOf(superOptions: string): string | undefined {
  return /(?:^|,)si=([0-9a-f]+)/.exec(superOptions)?.[1];
}
