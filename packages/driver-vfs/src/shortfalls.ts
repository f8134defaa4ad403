import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CopyWarning, type ExecutorWarning, errnoOf } from '@x/archive';
import type { DriverId } from '@x/layer-store';

/** Refusals of one layer shown in full; the counts cover all. */
const SHOWN = 20;

/** Something the kernel refused while a layer was written. */
export interface Refusal {
  /** `owner`, `device` or `xattr`; otherwise the system call. */
  readonly what: string;
  /** Path in the layer. */
  readonly path: string;
  readonly detail: string;
}

/** How a layer on disk differs from what its headers say, for lack of privilege or support. */
export interface Shortfall {
  readonly id: DriverId;
  /** {@link Refusal.what} → how often. */
  readonly refused: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly examples: readonly Refusal[];
}

/** A warning of an extraction. */
export function refusalOfUnpack({ syscall, errno, path, detail }: ExecutorWarning): Refusal {
  const what = syscall.includes('chown')
    ? 'owner'
    : syscall.includes('mknod')
      ? 'device'
      : syscall.includes('xattr')
        ? 'xattr'
        : syscall;
  return { what, path, detail: detail === '' ? `${syscall}: ${errno}` : `${syscall}: ${errno} (${detail})` };
}

/** A warning of a tree copy. */
export function refusalOfCopy({ kind, path, message }: CopyWarning): Refusal {
  const names = { ownership: 'owner', device: 'device', xattrs: 'xattr' } as const;
  return { what: names[kind], path, detail: message };
}

/** Sums up; undefined when there is nothing to say. */
export function summarize(id: DriverId, refusals: readonly Refusal[]): Shortfall | undefined {
  if (refusals.length === 0) return undefined;
  const refused: Record<string, number> = {};
  for (const { what } of refusals) refused[what] = (refused[what] ?? 0) + 1;
  return { id, refused, examples: refusals.slice(0, SHOWN) };
}

/** `device 1, owner 12` */
export function describeRefused(refused: Readonly<Record<string, number>>): string {
  return Object.entries(refused)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
}

/** Shortfalls of the layers of one home, as `<home>/shortfalls/<id>.json`: they outlive the process that met them. */
export class ShortfallRecords {
  readonly #directory: string;

  constructor(home: string) {
    this.#directory = join(home, 'shortfalls');
  }

  /** Forgets layers that are gone, and files a dead process was still writing. */
  async open(known: readonly DriverId[]): Promise<void> {
    const keep = new Set(known.map(fileName));
    for (const name of await this.#names()) if (!keep.has(name)) await this.#unlink(name);
  }

  /** Adds to what is known of the layer. */
  async add(shortfall: Shortfall): Promise<void> {
    const before = await this.get(shortfall.id);
    const refused: Record<string, number> = { ...before?.refused };
    for (const [what, count] of Object.entries(shortfall.refused)) {
      refused[what] = (refused[what] ?? 0) + count;
    }
    const examples = [...(before?.examples ?? []), ...shortfall.examples].slice(0, SHOWN);
    await this.#write({ id: shortfall.id, refused, examples });
  }

  /** A copy of a layer lacks what the layer lacks. */
  async inherit(id: DriverId, parent: DriverId): Promise<void> {
    const known = await this.get(parent);
    if (known !== undefined) await this.#write({ ...known, id });
  }

  async get(id: DriverId): Promise<Shortfall | undefined> {
    try {
      return JSON.parse(await readFile(join(this.#directory, fileName(id)), 'utf8')) as Shortfall;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async forget(id: DriverId): Promise<void> {
    await this.#unlink(fileName(id));
  }

  /** How many layers have one. */
  async count(): Promise<number> {
    return (await this.#names()).filter((name) => !name.startsWith('.')).length;
  }

  async #write(shortfall: Shortfall): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const name = fileName(shortfall.id);
    const staged = join(this.#directory, `.${name}`);
    await writeFile(staged, JSON.stringify(shortfall), { mode: 0o600, flush: true });
    await rename(staged, join(this.#directory, name));
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#directory);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async #unlink(name: string): Promise<void> {
    try {
      await unlink(join(this.#directory, name));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

function fileName(id: DriverId): string {
  return `${id}.json`;
}
