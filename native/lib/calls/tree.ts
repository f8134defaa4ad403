/** Work on whole trees: the batch executor, the ordered reader, copy and removal. Used by `@x/archive`, which documents the formats. */

/**
 * Carries out operation batches beneath one root on a thread of its own (packages/archive/src/execute/operation.ts). One
 * call at a time. The promises give packed results (src/core/extract_result.hh). A refusal has `kind`: `breakout`,
 * `invalid-link` or `overwrite-refused`.
 */
export interface NativeExtractor {
  run(operations: Uint8Array, chunk: Uint8Array): Promise<Buffer>;
  finish(): Promise<Buffer>;
  /**
   * Fills the buffer from `position` of an open file on the thread of the batches, between them. Gives the bytes read, fewer only
   * at the file's end.
   */
  read(fd: number, buffer: Uint8Array, position: number): Promise<number>;
  /** Waits for the call at hand, then ends the thread and closes everything. */
  close(): void;
}

export interface NativeExtractorOptions {
  readonly whiteouts: 'delete' | 'overlay' | 'aufs';
  readonly userXattr: boolean;
  readonly replaceAcrossTypes: boolean;
  readonly replaceMergedXattrs: boolean;
  readonly chown: boolean;
  readonly impliedUid: number;
  readonly impliedGid: number;
  readonly ownership: 'fail' | 'report';
  readonly xattrs: 'fail' | 'report';
  readonly devices: 'fail' | 'report';
  readonly stashDirectory: string | undefined;
}

/** Reads files in the order of a plan (packages/archive/src/execute/gather.ts). A refusal has `kind` `corrupt` or `breakout`. */
export interface NativeGatherer {
  gather(plan: Uint8Array, out: Uint8Array): Promise<void>;
  close(): void;
}

export interface TreeCopyOptions {
  /** `content` (the default), or `hardlink`: regular files become links to the source's. */
  readonly mode?: 'content' | 'hardlink';
  /** Also the overlay opaque attributes; other overlay attributes are never copied. */
  readonly copyOpaque?: boolean;
  /** What to do where the kernel refuses an attribute, an owner or a device: `fail` (the default), or `report` and go on. */
  readonly xattrs?: 'fail' | 'report';
  readonly ownership?: 'fail' | 'report';
  readonly devices?: 'fail' | 'report';
  /** Setting its first byte to anything but 0 stops the copy: it rejects with ECANCELED. */
  readonly cancel?: Uint8Array;
}

export interface TreeCopyWarning {
  readonly syscall: string;
  readonly errno: string;
  /** Relative to the tree, latin-1. */
  readonly path: string;
  /** The attribute's name, where it is about one. */
  readonly detail: string;
}

export interface TreeCopyStats {
  readonly files: number;
  readonly directories: number;
  /** Names linked instead of copied. */
  readonly links: number;
  /** Symbolic links, devices, FIFOs and sockets. */
  readonly others: number;
  /** Bytes of file content, whether copied, shared or holes. */
  readonly bytes: number;
  readonly warnings: readonly TreeCopyWarning[];
  /** Warnings beyond the first thousand, counted only. */
  readonly warningsDropped: number;
}

export interface TreeCalls {
  readonly NativeExtractor: new (root: string, options: NativeExtractorOptions) => NativeExtractor;
  /** Roots in order of preference. */
  readonly NativeGatherer: new (
    roots: readonly string[],
  ) => NativeGatherer;
  /**
   * Copies a directory with content, hard-link groups, holes, owners, modes, attributes, ACLs and nanosecond times.
   * `target` is made if missing; what is in it already is an error, except directories. Runs on the libuv pool.
   */
  copyTree(
    source: string | Uint8Array,
    target: string | Uint8Array,
    options?: TreeCopyOptions,
  ): Promise<TreeCopyStats>;
  /** Removes whatever `path` names, never following it, immutable flags and all. Missing is fine; a mount inside is EBUSY. */
  removeTree(path: string | Uint8Array): Promise<void>;
}
