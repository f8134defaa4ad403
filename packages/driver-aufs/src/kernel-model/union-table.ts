import { dirname } from 'node:path';
import { type AufsBranch, MAX_BRANCHES } from '../mount/branch.js';
import {
  ErrnoError,
  KernelPanic,
  ModelViolation,
  type Violation,
  type ViolationKind,
} from './model-failure.js';
import {
  cutAtPage,
  type ModelOption,
  optionFit,
  type ParsedBranch,
  parseMountData,
  tableBranch,
} from './mount-data.js';

/** What is at a path, as far as aufs cares. `unsupported`: a directory on aufs or overlay. */
export type PathKind = 'directory' | 'file' | 'missing' | 'unsupported';

export interface UnionTableOptions {
  /** Bytes. */
  readonly pageSize: number;
  /** Whether this aufs knows `dirperm1`. */
  readonly dirperm1: boolean;
  /**
   * Throw {@link ModelViolation} where the kernel would lose something in silence, or crash. Otherwise it is only noted in
   * `violations`, and the table is what the kernel's would be.
   */
  readonly strict: boolean;
  readonly lookup: (path: string) => PathKind;
}

/** A union in the table. */
export interface ModelUnion {
  readonly mountPoint: string;
  readonly session: string;
  readonly branches: AufsBranch[];
  /** Undefined: none was given, and aufs keeps the file in the first branch. */
  readonly xino: string | undefined;
  readonly label: string | undefined;
}

/**
 * The branch tables of a kernel with aufs 6.1, and the calls that change them, after spec/aufs-observed.md. Pure but for the
 * lookups it is given.
 */
export class UnionTable {
  readonly #options: UnionTableOptions;
  readonly #unions = new Map<string, ModelUnion>();
  readonly violations: Violation[] = [];
  #panicked: string | undefined;
  #sessions = 0;

  constructor(options: UnionTableOptions) {
    this.#options = options;
  }

  get unions(): ReadonlyMap<string, ModelUnion> {
    return this.#unions;
  }

  /** Replaces all unions by those that other processes, or dead ones, have left. */
  restore(unions: readonly ModelUnion[]): void {
    this.#unions.clear();
    for (const union of unions) {
      this.#unions.set(union.mountPoint, union);
      this.#sessions = Math.max(this.#sessions, Number.parseInt(union.session, 16));
    }
  }

  mount(target: string, data: Uint8Array): ModelUnion {
    const options = this.#read('mount', target, data);
    this.#checkMountPoint(target);
    const listed = options.flatMap((option) => (option.kind === 'branches' ? option.branches : []));
    if (listed.length === 0) throw new ErrnoError('EINVAL', 'mount', target, 'no branches');
    const branches: AufsBranch[] = [];
    for (const branch of listed) this.#add(branches, branch, target);
    for (const option of options)
      if (option.kind === 'append') this.#append(branches, option.branches, target);
    const xino = options.find((option) => option.kind === 'xino')?.path;
    if (xino !== undefined && this.#options.lookup(dirname(xino)) === 'missing') {
      throw new ErrnoError('ENOENT', 'mount', target, `xino ${xino}`);
    }
    this.#checkSharing(target, branches, xino);
    this.#sessions += 1;
    const union: ModelUnion = {
      mountPoint: target,
      session: this.#sessions.toString(16).padStart(16, '0'),
      branches,
      xino,
      label: options.find((option) => option.kind === 'context')?.label,
    };
    this.#unions.set(target, union);
    return union;
  }

  remount(target: string, data: Uint8Array): ModelUnion {
    const options = this.#read('mount', target, data);
    const union = this.#unions.get(target);
    if (union === undefined) throw new ErrnoError('EINVAL', 'mount', target, 'not mounted');
    for (const option of options) {
      if (option.kind === 'append') this.#append(union.branches, option.branches, target);
      else if (option.kind === 'delete') this.#delete(union, option.path);
    }
    return union;
  }

  umount(target: string): void {
    this.#requireAlive();
    if (this.#options.lookup(target) === 'missing') throw new ErrnoError('ENOENT', 'umount2', target);
    if (!this.#unions.delete(target)) throw new ErrnoError('EINVAL', 'umount2', target);
  }

  /** Notes a misuse; throws if the model is strict. */
  violate(kind: ViolationKind, detail: string): void {
    const violation = { kind, detail };
    this.violations.push(violation);
    if (this.#options.strict) throw new ModelViolation(violation);
  }

  #requireAlive(): void {
    if (this.#panicked !== undefined) throw new KernelPanic(this.#panicked);
  }

  /** The options that arrive. */
  #read(syscall: string, target: string, data: Uint8Array): ModelOption[] {
    this.#requireAlive();
    const { pageSize, dirperm1 } = this.#options;
    const arrived = parseMountData(cutAtPage(data, pageSize), dirperm1);
    this.#noteCut(parseMountData(data, dirperm1), arrived);
    const fit = optionFit(arrived);
    if (fit === 'panic') {
      this.#panicked = `too many options in a call for ${target}`;
      this.violate('crash', this.#panicked);
      throw new KernelPanic(this.#panicked);
    }
    if (fit === 'E2BIG') {
      this.violate('crash', `too many options in a call for ${target}: a few more and the kernel is gone`);
      throw new ErrnoError('E2BIG', syscall, target);
    }
    const unknown = arrived.find((option) => option.kind === 'unknown');
    if (unknown !== undefined) throw new ErrnoError('EINVAL', syscall, target, `option ${unknown.text}`);
    return arrived;
  }

  /** What was asked for and is behind the end of the page. Where the kernel fails because of it the failure says so. */
  #noteCut(asked: readonly ModelOption[], arrived: readonly ModelOption[]): void {
    const branchesOf = (options: readonly ModelOption[]): readonly ParsedBranch[] =>
      options.flatMap((option) =>
        option.kind === 'branches' || option.kind === 'append' ? option.branches : [],
      );
    const [wanted, got] = [branchesOf(asked), branchesOf(arrived)];
    if (got.length < wanted.length) {
      this.violate('lost-branch', `${wanted.length - got.length} of ${wanted.length} are behind the page`);
    }
    const halved = wanted[got.length - 1];
    if (halved?.permission === 'ro+wh' && got.at(-1)?.permission !== 'ro+wh') {
      this.violate('lost-whiteouts', `the page ends in the permission of ${halved.path}`);
    }
    if (arrived.length < asked.length) {
      this.violate('lost-option', `${asked.length - arrived.length} options are behind the page`);
    }
  }

  #checkMountPoint(target: string): void {
    const kind = this.#options.lookup(target);
    if (kind === 'missing') throw new ErrnoError('ENOENT', 'mount', target);
    if (kind === 'file') throw new ErrnoError('ENOTDIR', 'mount', target);
    if (this.#unions.has(target)) this.violate('stacked-mount', `${target} is a union already`);
  }

  #checkSharing(target: string, branches: readonly AufsBranch[], xino: string | undefined): void {
    const written = new Set(branches.filter(({ permission }) => permission === 'rw').map(({ path }) => path));
    for (const other of this.#unions.values()) {
      if (other.mountPoint === target) continue;
      if (xino !== undefined && other.xino === xino) {
        this.violate('shared-xino', `${xino} serves ${other.mountPoint} already`);
      }
      for (const { path, permission } of other.branches) {
        if (permission !== 'rw' || !written.has(path)) continue;
        this.violate('shared-branch', `${path} is written to by ${other.mountPoint} already`);
      }
    }
  }

  /** Of several branches in one `append:` only the first arrives. */
  #append(branches: AufsBranch[], listed: readonly ParsedBranch[], target: string): void {
    const [branch, ...rest] = listed;
    if (rest.length > 0)
      this.violate('lost-branch', `only the first of ${listed.length} in one append: arrives`);
    if (branch === undefined || branches.some(({ path }) => path === branch.path)) return;
    this.#add(branches, branch, target);
  }

  #add(branches: AufsBranch[], branch: ParsedBranch, target: string): void {
    const refuse = (why: string): never => {
      throw new ErrnoError('EINVAL', 'mount', target, `branch ${branch.path}: ${why}`);
    };
    if (branch.malformed || this.#options.lookup(branch.path) !== 'directory') refuse('lookup failed');
    for (const { path } of branches) {
      if (path === branch.path) refuse('duplicated');
      if (isAncestor(path, branch.path) || isAncestor(branch.path, path)) refuse(`overlapped with ${path}`);
    }
    if (branches.length === MAX_BRANCHES) throw new ErrnoError('ENOSPC', 'mount', target);
    const added = tableBranch(branch, branches.length === 0);
    branches.push(added);
  }

  /** Of a branch that is not there: nothing to do. */
  #delete(union: ModelUnion, path: string): void {
    const index = union.branches.findIndex((branch) => branch.path === path);
    if (index !== -1) union.branches.splice(index, 1);
  }
}

function isAncestor(ancestor: string, path: string): boolean {
  return path.startsWith(`${ancestor}/`);
}
