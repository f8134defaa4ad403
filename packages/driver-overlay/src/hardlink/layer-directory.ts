import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf } from '@x/archive';
import type { DriverId } from '@x/layer-store';

/** In-progress trees of `applyDiff`; Docker calls them so too. */
const UNFINISHED_ROOT = 'tmproot';
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;
/** Last line of the record of ancestors: one that was cut off by a power cut must not look like one without any. */
const END_OF_RECORD = '.';
const SMALL_FILE_MODE = 0o600;

/**
 * What a layer is made of (spec/drivers.md 4.1): a tree of its own, or what overlay needs to show it on top of another
 * layer's tree. If there is a tree it wins.
 */
export type LayerShape =
  | { readonly kind: 'root' }
  | { readonly kind: 'upper'; readonly lower: DriverId }
  /** An upper, but the file that names the lower layer names none. */
  | { readonly kind: 'damaged' }
  /** Nothing there, or nothing that is a layer. */
  | { readonly kind: 'none' };

/** One layer's directory: the names in it, and what they say. */
export class LayerDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get root(): string {
    return join(this.path, 'root');
  }
  get upper(): string {
    return join(this.path, 'upper');
  }
  get work(): string {
    return join(this.path, 'work');
  }
  get merged(): string {
    return join(this.path, 'merged');
  }
  get lowerId(): string {
    return join(this.path, 'lower-id');
  }
  /** Ids of the layers below, nearest first, one per line. Not Docker's: it does not ask who shares files. */
  get ancestors(): string {
    return join(this.path, 'ancestors');
  }
  /** For mkdtemp(3). */
  get unfinishedPrefix(): string {
    return join(this.path, UNFINISHED_ROOT);
  }

  async shape(): Promise<LayerShape> {
    if (await isDirectory(this.root)) return { kind: 'root' };
    const text = await readIfThere(this.lowerId);
    if (text === undefined) return { kind: 'none' };
    const lower = text.trim();
    return isLayerId(lower) ? { kind: 'upper', lower } : { kind: 'damaged' };
  }

  /** Undefined: unknown, because Docker made the tree. An overlay-style layer of Docker's stands on its lower at least. */
  async readAncestors(shape: LayerShape): Promise<readonly DriverId[] | undefined> {
    const lines = (await readIfThere(this.ancestors))?.split('\n') ?? [];
    const ids = lines.slice(0, lines.indexOf(END_OF_RECORD)).filter(isLayerId);
    if (lines.includes(END_OF_RECORD)) return ids;
    return shape.kind === 'upper' ? [shape.lower] : undefined;
  }

  async writeAncestors(ancestors: readonly DriverId[]): Promise<void> {
    const lines = [...ancestors, END_OF_RECORD].map((line) => `${line}\n`);
    await writeFile(this.ancestors, lines.join(''), { mode: SMALL_FILE_MODE });
  }

  /** Names that a dead process left in the layer: trees that were not finished, and what a finished one replaces. */
  async leftovers(shape: LayerShape): Promise<string[]> {
    const replaced = shape.kind === 'root' ? [this.upper, this.work, this.lowerId] : [];
    const names = replaced.map((path) => basename(path));
    return (await readdir(this.path))
      .filter((name) => name.startsWith(UNFINISHED_ROOT) || names.includes(name))
      .map((name) => join(this.path, name));
  }
}

export function isLayerId(text: string): text is DriverId {
  return ID.test(text);
}

export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}
