/** A system call that failed, as `node:fs` and the addon report it. */
export class ErrnoError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path: string;

  constructor(code: string, syscall: string, path: string, detail = '') {
    super(`${code}: ${syscall} '${path}'${detail === '' ? '' : `: ${detail}`}`);
    this.name = 'ErrnoError';
    this.code = code;
    this.syscall = syscall;
    this.path = path;
  }
}

/** What a caller did to the kernel that it must never do. */
export type ViolationKind =
  /** More options in a call than aufs has room for. */
  | 'crash'
  /** A branch that was asked for is not in the union. */
  | 'lost-branch'
  /** A branch is in the union, but what it deletes is not honoured. */
  | 'lost-whiteouts'
  /** An option that was asked for has no effect. */
  | 'lost-option'
  /** Two unions write to the same branch, or keep their inode numbers in the same file. */
  | 'shared-branch'
  | 'shared-xino'
  /** A union on top of another: the lower one cannot be reached any more. */
  | 'stacked-mount'
  /** Two mount calls at the same time, which race for the xino file. */
  | 'overlapping-calls';

export interface Violation {
  readonly kind: ViolationKind;
  readonly detail: string;
}

/** Thrown by a strict model in place of what the kernel would have done in silence. */
export class ModelViolation extends Error {
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(`the kernel model was misused (${violation.kind}): ${violation.detail}`);
    this.name = 'ModelViolation';
    this.violation = violation;
  }
}

/** The kernel is gone; nothing can be called any more. */
export class KernelPanic extends Error {
  constructor(detail: string) {
    super(`the kernel has crashed: ${detail}`);
    this.name = 'KernelPanic';
  }
}
