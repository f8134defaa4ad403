import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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
export function loadUnions(file: string): KeptUnion[] {
  if (!existsSync(file)) return [];
  return JSON.parse(readFileSync(file, 'utf8'), (_key, value: unknown) =>
    isEntries(value) ? new Map(value.entries) : value,
  ) as KeptUnion[];
}

export function saveUnions(file: string, unions: readonly KeptUnion[]): void {
  const text = JSON.stringify(unions, (_key, value: unknown) =>
    value instanceof Map ? { entries: [...value] } : value,
  );
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function isEntries(value: unknown): value is { readonly entries: readonly (readonly [string, unknown])[] } {
  return typeof value === 'object' && value !== null && 'entries' in value && Array.isArray(value.entries);
}
