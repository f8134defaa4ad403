import type { ErrorCode, ExecutorOptions, ExecutorWarning, WhiteoutFormat } from '@x/archive';

declare const brand: unique symbol;

/** A layer's name in its driver, checked by {@link parseDriverId}. */
export type DriverId = string & { readonly [brand]: 'DriverId' };

/**
 * What a driver can do. Frozen; the conformance suite holds a driver to every claim and to the refusal of everything it
 * does not claim.
 */
export interface DriverCapabilities {
  /** `diff` does not compare two trees. */
  readonly nativeDiff: boolean;
  /** `changes` does not compare two trees. */
  readonly nativeChanges: boolean;
  /** Read-write layers take `storageOpt: { size }`. */
  readonly quota: boolean;
  /** Layers may share unchanged files of their parent by hard links. */
  readonly hardlinks: boolean;
  /** No driver here streams back the input bytes by itself: the store always records tar-split. */
  readonly reproducesExactDiffs: false;
  /** How deletions are kept in the directory that `applyDiff` unpacks into. */
  readonly whiteouts: WhiteoutFormat;
  /** `get` makes a mount, of the kernel or of FUSE, which outlives the process unless it is unmounted. */
  readonly mounts: boolean;
  /** `mountLabel` is honoured. */
  readonly mountLabels: boolean;
  /** Most layers that one mount can be made of, the read-write and the init layer included. */
  readonly maxDepth: number;
  /** Works without root. */
  readonly rootless: boolean;
}

/** Options of `create` and `createReadWrite`. */
export interface CreateOptions {
  /** SELinux context. Refused with DRIVER_NOT_SUPPORTED by drivers without `mountLabels`. */
  readonly mountLabel?: string;
  /** `key=value` storage options (spec/drivers.md 1.8), keys in lower case. */
  readonly storageOpt?: Readonly<Record<string, string>>;
}

/** Options of `get`. */
export interface GetOptions {
  /** Only the label of the first `get` of an id matters. */
  readonly mountLabel?: string;
  readonly signal?: AbortSignal;
}

/** Options of `close`. */
export interface CloseOptions {
  /**
   * What becomes of the mounts that are still in use or were found at `open`: `unmount` (default), or `keep`, for a
   * program whose mounts are to outlive it. The next opener finds them again.
   */
  readonly mounts?: 'unmount' | 'keep';
}

/** Options of operations that only need a way to be stopped. */
export interface SignalOptions {
  readonly signal?: AbortSignal;
}

/** How a driver wants a layer laid out on disk. */
export interface UnpackOptions extends SignalOptions {
  readonly whiteouts: WhiteoutFormat;
  readonly userXattr?: boolean;
  readonly ownership?: ExecutorOptions['ownership'];
  readonly xattrs?: ExecutorOptions['xattrs'];
  readonly devices?: ExecutorOptions['devices'];
  /** As the option of `applyLayer`; drivers that set it say so in `_recordsOwners`. */
  readonly recordOwners?: boolean;
}

/** What an unpacked layer came to. */
export interface UnpackResult {
  /** Sum of the sizes in the headers, what Docker reports as the size of a layer. Bytes. */
  readonly size: number;
  /** Bytes of regular files, each payload once. */
  readonly payloadBytes: number;
  /** What the kernel refused and the options said to report. */
  readonly warnings: readonly ExecutorWarning[];
}

/**
 * What a driver unpacks: the store hashes and records while the driver picks directory and whiteout format. `unpack` is
 * called exactly once; it reads the layer's stream to its very end.
 */
export interface LayerSource {
  unpack(directory: string, options: UnpackOptions): Promise<UnpackResult>;
}

/** An uncompressed tar stream. `close` stops the producer, waits for it, and only then lets go of the mounts below it. */
export interface DiffStream extends AsyncIterable<Uint8Array>, AsyncDisposable {
  close(): Promise<void>;
}

/** Directories that hold a layer's files; the first that has a path wins. `close` gives them up. */
export interface FileSource extends AsyncDisposable {
  readonly roots: readonly string[];
  close(): Promise<void>;
}

/** What a layer takes on the driver's file system. */
export interface DriverUsage {
  /** Bytes of regular files, hard links once. */
  readonly bytes: number;
  /** Where the driver can tell. */
  readonly inodes?: number;
}

/** Whether a driver can run at a home, and why not. */
export type ProbeResult =
  | { readonly supported: true; readonly warnings: readonly string[] }
  | {
      readonly supported: false;
      readonly code: Extract<
        ErrorCode,
        'DRIVER_NOT_SUPPORTED' | 'DRIVER_PREREQUISITES' | 'DRIVER_INCOMPATIBLE_FS' | 'DRIVER_FAILED'
      >;
      readonly reason: string;
      readonly remedy: string;
    };
