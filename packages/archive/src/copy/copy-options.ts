/** Options of tree copies, checked once. */
import {
  assertBoolean,
  assertFunction,
  assertKnownKeys,
  assertOneOf,
  assertSignal,
} from '../options/validate.js';

/** Something a copy could not carry over and went on without. */
export interface CopyWarning {
  readonly kind: 'ownership' | 'device' | 'xattrs';
  /** Path in the tree, as shown to people; empty where it is about the whole tree. */
  readonly path: string;
  readonly message: string;
}

export interface CopyTreeOptions {
  /**
   * `content`: files are cloned where the file system can, copied otherwise, holes and hard links kept. `hardlink`: files
   * become links to the source's, metadata shared, or copies where one has as many links as its file system allows
   * (ext4: 65000); directories are made anew. Default `content`.
   */
  readonly mode?: 'content' | 'hardlink';
  /** Copy `trusted.overlay.opaque` and `user.overlay.opaque` too; other overlay attributes never are. Default false. */
  readonly copyOpaque?: boolean;
  /**
   * What to do where the kernel refuses an owner, a device or an attribute: `fail`, or `report` and go on. Default `fail`.
   */
  readonly shortfalls?: 'fail' | 'report';
  readonly onWarning?: (warning: CopyWarning) => void;
  /** Do without the native addon; times are then kept to the microsecond. Default false. */
  readonly portable?: boolean;
  readonly signal?: AbortSignal;
}

export interface ResolvedCopyOptions {
  readonly mode: 'content' | 'hardlink';
  readonly copyOpaque: boolean;
  readonly shortfalls: 'fail' | 'report';
  readonly onWarning: (warning: CopyWarning) => void;
  readonly portable: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What a copy did. */
export interface CopyTreeResult {
  /** Regular files copied; further links of a file are counted in `links`. */
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  /** Symbolic links, devices, FIFOs, sockets. */
  readonly others: number;
  /** Sum of the sizes of `files`. */
  readonly bytes: number;
}

/** @throws OPTION_INVALID, OPTION_UNKNOWN */
export function resolveCopyOptions(where: string, options: CopyTreeOptions): ResolvedCopyOptions {
  assertKnownKeys(where, options, ['mode', 'copyOpaque', 'shortfalls', 'onWarning', 'portable', 'signal']);
  const {
    mode = 'content',
    copyOpaque = false,
    shortfalls = 'fail',
    onWarning = () => {},
    portable = false,
    signal,
  } = options;
  assertOneOf(where, 'mode', mode, ['content', 'hardlink']);
  assertBoolean(where, 'copyOpaque', copyOpaque);
  assertOneOf(where, 'shortfalls', shortfalls, ['fail', 'report']);
  assertFunction(where, 'onWarning', onWarning);
  assertBoolean(where, 'portable', portable);
  if (signal !== undefined) assertSignal(where, 'signal', signal);
  return { mode, copyOpaque, shortfalls, onWarning, portable, signal };
}
