import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Driver } from '@x/layer-store';
import { expectEqual } from '../../expectation.js';
import { layerEntry, layerOf } from '../../layer-bytes.js';

/** A layer takes away what the layer this far below it brought: so deep layers stay small, and every one hides something. */
const LIFETIME = 5;
/** Every so many layers one is edited through its mount instead of unpacked. */
const EDITED_EVERY = 16;
const TOP = 'top';

/** A chain of layers that each add a file, change one, and delete one; and what its layers show. */
export class ChainModel {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  id(level: number): string {
    return `level-${level}`;
  }

  async build(depth: number, signal: AbortSignal): Promise<void> {
    for (let level = 0; level < depth; level++) {
      signal.throwIfAborted();
      await this.add(level);
    }
  }

  /** Makes the layer of a level on the one below. */
  async add(level: number): Promise<void> {
    const [id, parent] = [this.id(level), level === 0 ? undefined : this.id(level - 1)];
    await this.#driver.create(id, parent);
    if (level % EDITED_EVERY === EDITED_EVERY - 1) {
      await this.#driver.withMount(id, async (root) => {
        await writeFile(path.join(root, fileOf(level)), String(level));
        await writeFile(path.join(root, TOP), String(level));
        if (level >= LIFETIME) await rm(path.join(root, fileOf(level - LIFETIME)));
      });
      return;
    }
    const layer = await layerOf(
      layerEntry.file(fileOf(level), String(level)),
      layerEntry.file(TOP, String(level)),
      ...(level < LIFETIME ? [] : [layerEntry.whiteout(fileOf(level - LIFETIME))]),
    );
    await this.#driver.applyDiff(id, parent, layer);
  }

  /** The layer of a level holds what the levels up to it left. */
  async expect(level: number): Promise<void> {
    await this.#driver.withMount(this.id(level), async (root) => {
      const names = alive(level).map(fileOf);
      expectEqual((await readdir(root)).sort(), [...names, TOP].sort(), `names in layer ${level}`);
      for (const name of names) {
        expectEqual(
          await readFile(path.join(root, name), 'latin1'),
          name.slice(FILE.length),
          `content of ${name}`,
        );
      }
      expectEqual(await readFile(path.join(root, TOP), 'latin1'), String(level), `${TOP} in layer ${level}`);
    });
  }

  /** What distinguishes a level from one below it. */
  changes(level: number, below: number): readonly string[] {
    const [now, before] = [alive(level), alive(below)];
    return [
      ...now.filter((made) => !before.includes(made)).map((made) => `A /${fileOf(made)}`),
      ...before.filter((made) => !now.includes(made)).map((made) => `D /${fileOf(made)}`),
      `C /${TOP}`,
    ].sort();
  }

  /** From the top. */
  async remove(depth: number): Promise<void> {
    for (let level = depth - 1; level >= 0; level--) await this.#driver.remove(this.id(level));
  }
}

const FILE = 'file-';

function fileOf(level: number): string {
  return `${FILE}${level}`;
}

/** Levels whose file is still there. */
function alive(level: number): readonly number[] {
  const first = Math.max(level - LIFETIME + 1, 0);
  return Array.from({ length: level - first + 1 }, (_, index) => first + index);
}
