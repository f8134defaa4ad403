import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { TreeSnapshot } from './tree-snapshot.js';
import type { ModelUnion } from './union-table.js';

/** A union with what the model knows of its merged directory. */
export interface KeptUnion {
  readonly union: ModelUnion;
  /** Mode of the mount point below the union. */
  readonly mode: number;
  /** The merged directory when it was last the same as the branches. */
  readonly merged: TreeSnapshot;
  /** The branches at that time, by path. */
  readonly branches: ReadonlyMap<string, TreeSnapshot>;
}

/** Unions outlive the process that mounted them: with a file of them the model does what the kernel does. */
/** The file, as long as nobody else has written it. */
export class StateFile {
  readonly #path: string;
  #seen = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** What is in it; undefined: nothing new. */
  read(): readonly KeptUnion[] | undefined {
    const version = this.#version();
    if (version === this.#seen) return undefined;
    this.#seen = version;
    if (version === '') return [];
    return JSON.parse(readFileSync(this.#path, 'utf8'), (_key, value: unknown) =>
      isEntries(value) ? new Map(value.entries) : value,
    ) as KeptUnion[];
  }

  write(unions: readonly KeptUnion[]): void {
    const text = JSON.stringify(unions, (_key, value: unknown) =>
      value instanceof Map ? { entries: [...value] } : value,
    );
    const unfinished = `${this.#path}.${process.pid}`;
    writeFileSync(unfinished, text);
    renameSync(unfinished, this.#path);
    this.#seen = this.#version();
  }

  /** Every write makes a new inode. */
  #version(): string {
    const stats = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? '' : `${stats.ino}:${stats.mtimeNs}`;
  }
}

function isEntries(value: unknown): value is { readonly entries: readonly (readonly [string, unknown])[] } {
  return typeof value === 'object' && value !== null && 'entries' in value && Array.isArray(value.entries);
}
