/** Scripts of operations and scratch roots for the suites that run over both executors. */

import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { loadNative, type NativeCalls } from '@x/native';
import type { TarTime, TarXattr } from '../tar/entry.js';
import { OperationBatch, type OperationMeta } from './batch-encoder.js';
import { openExtractExecutor } from './open.js';
import { type ExecutorOptions, type ExecutorResult, type ExtractExecutor, NO_INDEX } from './operation.js';

/** Both executors, for `describe.each`. */
export const EXECUTORS = ['native', 'portable'] as const;
export type ExecutorKind = (typeof EXECUTORS)[number];

/** The addon's calls, for suites that cannot do without. This module is also loaded outside Jest, by child processes. */
export function nativeCalls(): NativeCalls {
  const state = loadNative();
  if (!state.available) throw new Error(`the executor suites need the addon: ${state.reason}`);
  return state.calls;
}

export const DEFAULT_OPTIONS: ExecutorOptions = {
  whiteouts: 'delete',
  userXattr: false,
  replaceAcrossTypes: true,
  replaceMergedXattrs: true,
  chown: true,
  impliedUid: 0,
  impliedGid: 0,
  ownership: 'fail',
  xattrs: 'fail',
  devices: 'fail',
  stashDirectory: undefined,
};

interface MetaInit {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: TarTime;
  readonly atime?: TarTime;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

export const DEFAULT_MTIME: TarTime = { seconds: 1_500_000_000, nanoseconds: 125_000_000 };

function metaOf(init: MetaInit, mode: number): OperationMeta {
  const mtime = init.mtime ?? DEFAULT_MTIME;
  return {
    mode: init.mode ?? mode,
    uid: init.uid ?? 0,
    gid: init.gid ?? 0,
    mtime,
    atime: init.atime ?? mtime,
  };
}

function xattrsOf({ xattrs = {} }: MetaInit): TarXattr[] {
  return Object.entries(xattrs).map(([name, value]) => ({ name: Buffer.from(name), value }));
}

/** A batch with its chunk, written as one would write a layer. Paths are text; `bytes` content goes to the chunk. */
export class Script {
  readonly batch: OperationBatch = new OperationBatch();
  #chunk: Buffer = Buffer.alloc(0);

  get chunk(): Uint8Array {
    return this.#chunk;
  }

  directory(path: string, init: MetaInit = {}): this {
    this.batch.directory(Buffer.from(path), metaOf(init, 0o755), xattrsOf(init));
    return this;
  }

  file(path: string, content: string | Uint8Array, init: MetaInit & { readonly index?: number } = {}): this {
    const bytes = Buffer.from(content);
    const { index = NO_INDEX } = init;
    this.batch.file(Buffer.from(path), metaOf(init, 0o644), xattrsOf(init), bytes.length, index);
    if (bytes.length > 0) this.batch.data(0, this.append(bytes), bytes.length);
    this.batch.fileEnd();
    return this;
  }

  hardlink(path: string, target: string): this {
    this.batch.hardlink(Buffer.from(path), Buffer.from(target));
    return this;
  }

  symlink(path: string, target: string, init: MetaInit = {}): this {
    this.batch.symlink(Buffer.from(path), Buffer.from(target), metaOf(init, 0o777), xattrsOf(init));
    return this;
  }

  node(
    path: string,
    type: number,
    major: number,
    minor: number,
    init: MetaInit & { readonly flags?: number } = {},
  ): this {
    const { flags = 0 } = init;
    this.batch.node(Buffer.from(path), metaOf(init, 0o600), xattrsOf(init), type, major, minor, flags);
    return this;
  }

  whiteout(path: string, uid = 0, gid = 0): this {
    this.batch.whiteout(Buffer.from(path), uid, gid);
    return this;
  }

  opaque(path: string, uid = 0, gid = 0): this {
    this.batch.opaque(Buffer.from(path), uid, gid);
    return this;
  }

  move(path: string, to: string): this {
    this.batch.move(Buffer.from(path), Buffer.from(to));
    return this;
  }

  remove(path: string): this {
    this.batch.remove(Buffer.from(path));
    return this;
  }

  /** Adds bytes to the chunk; returns where they begin. */
  append(bytes: Uint8Array): number {
    const at = this.#chunk.length;
    this.#chunk = Buffer.concat([this.#chunk, bytes]);
    return at;
  }
}

/** A scratch directory with a root to unpack into, a stash beside it, and an executor on the root. */
export class Sandbox implements AsyncDisposable {
  readonly base: string;
  readonly root: string;
  readonly stash: string;
  readonly #kind: ExecutorKind;
  #executor: ExtractExecutor | undefined;

  constructor(kind: ExecutorKind, parent = '/dev/shm') {
    this.#kind = kind;
    this.base = mkdtempSync(join(parent, 'executor-'));
    this.root = join(this.base, 'root');
    this.stash = join(this.base, 'stash');
    mkdirSync(this.root);
    mkdirSync(this.stash);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** A new extraction on the root, as the next layer would be. */
  async open(options: Partial<ExecutorOptions> = {}): Promise<ExtractExecutor> {
    await this.#executor?.close();
    this.#executor = await openExtractExecutor(this.root, {
      ...DEFAULT_OPTIONS,
      ...options,
      portable: this.#kind === 'portable',
    });
    return this.#executor;
  }

  /** Opens an executor, runs the scripts as one batch each, finishes and closes; what all of it did. */
  async extract(options: Partial<ExecutorOptions>, ...scripts: readonly Script[]): Promise<ExecutorResult> {
    const executor = await this.open(options);
    const results: ExecutorResult[] = [];
    for (const { batch, chunk } of scripts) results.push(await executor.run(batch.bytes(), chunk));
    results.push(await executor.finish());
    await executor.close();
    return {
      checksums: results.flatMap((result) => result.checksums),
      displaced: results.flatMap((result) => result.displaced),
      warnings: results.flatMap((result) => result.warnings),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#executor?.close();
    await nativeCalls().removeTree(this.base);
  }
}
