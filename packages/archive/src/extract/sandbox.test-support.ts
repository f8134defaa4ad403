/** A root to unpack into, with a victim beside it that no archive may touch, and a look at what came of it. */

import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { loadNative } from '@x/native';
import { isLayerStoreError } from '../errors.js';
import { type ApplyLayerOptions, type ApplyLayerResult, applyLayer } from './apply-layer.js';
import { archive, type EntrySpec, pieces } from './archive.test-support.js';
import { type UntarOptions, type UntarResult, untar } from './untar.js';

export type ExecutorName = 'native' | 'portable';

/** A host without the addon tests one executor; CI must have both, unless the addon was switched off. */
export const EXECUTORS: readonly ExecutorName[] =
  loadNative().available || (process.env.CI === 'true' && process.env.LAYER_STORE_NATIVE !== 'off')
    ? ['native', 'portable']
    : ['portable'];

const SECRET = 'hello from the victim';

export type Archive = Buffer | readonly (EntrySpec | Buffer)[];

function bytesOf(entries: Archive): Buffer {
  return Buffer.isBuffer(entries) ? entries : archive(...entries);
}

export class Sandbox implements AsyncDisposable {
  readonly base: string;
  /** The extraction root. */
  readonly dest: string;
  readonly stash: string;
  readonly #portable: boolean;
  readonly #outside: string;

  private constructor(base: string, executor: ExecutorName) {
    this.base = base;
    this.dest = join(base, 'dest');
    this.stash = join(base, 'stash');
    this.#portable = executor === 'portable';
    this.#outside = this.#picture();
  }

  static async create(executor: ExecutorName): Promise<Sandbox> {
    const base = await mkdtemp(join(tmpdir(), 'extract-'));
    for (const name of ['dest', 'stash', 'victim', 'dest-evil']) await mkdir(join(base, name));
    await writeFile(join(base, 'victim', 'hello'), SECRET, { mode: 0o640 });
    return new Sandbox(base, executor);
  }

  async apply(entries: Archive, options: ApplyLayerOptions = {}): Promise<ApplyLayerResult> {
    return await applyLayer(pieces(bytesOf(entries)), this.dest, { portable: this.#portable, ...options });
  }

  async untar(entries: Archive, options: UntarOptions = {}): Promise<UntarResult> {
    return await untar(pieces(bytesOf(entries)), this.dest, { portable: this.#portable, ...options });
  }

  /** Paths with type, mode and content, sorted. */
  tree(): Record<string, string> {
    return tree(this.dest);
  }

  /**
   * The acceptance rule of the breakout tests: nothing outside changed, the victim's content is nowhere inside, and if
   * there was an error it is one of the codes allowed.
   */
  expectContained(error?: unknown, ...codes: readonly string[]): void {
    if (error !== undefined) {
      expect(isLayerStoreError(error) ? error.code : error).toEqual(
        expect.stringMatching(`^(${codes.join('|')})$`),
      );
    }
    expect(this.#picture()).toBe(this.#outside);
    for (const line of Object.values(this.tree())) expect(line).not.toContain(SECRET);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.base, { recursive: true, force: true });
  }

  #picture(): string {
    const names = readdirSync(this.base).sort();
    const victim = join(this.base, 'victim');
    const stats = [victim, join(victim, 'hello'), join(this.base, 'dest-evil'), this.base].map((path) => {
      const { mode, uid, gid, nlink, ino, mtimeMs, size } = lstatSync(path);
      return { mode, uid, gid, nlink, ino, mtimeMs, size };
    });
    return JSON.stringify([names, tree(victim), readdirSync(join(this.base, 'dest-evil')), stats]);
  }
}

/** What `run` was rejected with; fails when it was not. */
export async function failure(run: Promise<unknown>): Promise<unknown> {
  try {
    await run;
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure');
}

export async function failureCode(run: Promise<unknown>): Promise<string> {
  const error = await failure(run);
  return isLayerStoreError(error) ? error.code : `not coded: ${String(error)}`;
}

export function tree(root: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {};
  const bytesOfPath = (path: string): Buffer =>
    Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
  for (const name of readdirSync(bytesOfPath(below), { encoding: 'latin1' }).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const bytes = bytesOfPath(path);
    const stat = lstatSync(bytes);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) {
      found[path] = `dir ${mode}`;
      Object.assign(found, tree(root, path));
    } else if (stat.isSymbolicLink()) found[path] = `link ${readlinkSync(bytes, 'utf8')}`;
    else if (stat.isFile()) found[path] = `file ${mode} ${readFileSync(bytes, 'utf8')}`;
    else if (stat.isFIFO()) found[path] = `fifo ${mode}`;
    else found[path] = `${stat.isCharacterDevice() ? 'char' : 'block'} ${stat.rdev >> 8}:${stat.rdev & 0xff}`;
  }
  return found;
}
