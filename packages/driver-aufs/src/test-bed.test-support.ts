import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Change, writeTar } from '@x/archive';
import { layerSource } from '@x/layer-store';
import { unmountBelow } from '@x/layer-store/driver-kit';
import { native } from '@x/native';
import { AufsDriver } from './aufs-driver.js';
import type { AufsKernel } from './kernel/aufs-kernel.js';
import { LinuxAufsKernel } from './kernel/linux-aufs-kernel.js';
import { AufsKernelModel, type AufsKernelModelOptions } from './kernel-model/aufs-kernel-model.js';
import type { AufsDriverOptions } from './options.js';

/** A kernel that suites run on. */
export interface KernelUnderTest {
  readonly name: string;
  /** Why it cannot be had here. */
  readonly missing: string | undefined;
  readonly make: () => AufsKernel;
}

/** `model`, `real` (which then must be there), or neither: the model, and the kernel if it has aufs. */
const CHOICE = process.env.LAYER_STORE_AUFS;

/** The model, and the kernel this machine runs; the suites are the same. */
export const KERNELS: readonly KernelUnderTest[] = [
  {
    name: 'the model of the kernel',
    missing: CHOICE === 'real' ? 'LAYER_STORE_AUFS=real asks for the kernel' : undefined,
    make: () => new AufsKernelModel(),
  },
  { name: 'the kernel of this machine', missing: missingAufs(), make: () => new LinuxAufsKernel() },
];

function missingAufs(): string | undefined {
  if (CHOICE === 'real') return undefined;
  if (CHOICE === 'model') return 'LAYER_STORE_AUFS=model asks for the model';
  if (process.geteuid?.() !== 0) return 'not running as root';
  const known = readFileSync('/proc/filesystems', 'latin1').includes('\taufs\n');
  return known ? undefined : 'the kernel has no aufs (LAYER_STORE_AUFS=real runs the suite nevertheless)';
}

/** A driver on a fresh home; everything is checked and cleared away at the end. */
export class TestBed {
  readonly base: string;
  readonly home: string;
  readonly kernel: AufsKernel;
  driver: AufsDriver;
  readonly #options: Partial<AufsDriverOptions>;

  constructor(kernel: AufsKernel, options: Partial<AufsDriverOptions> = {}) {
    this.base = realpathSync(mkdtempSync(join(tmpdir(), 'aufs-driver-')));
    this.home = join(this.base, 'aufs');
    this.kernel = kernel;
    this.#options = options;
    this.driver = this.another();
  }

  /** On a model, which is at hand to be made to fail. */
  static async onModel(
    model: AufsKernelModelOptions = {},
    options: Partial<AufsDriverOptions> = {},
  ): Promise<TestBed & { readonly kernel: AufsKernelModel }> {
    const bed = new TestBed(new AufsKernelModel(model), options) as TestBed & {
      readonly kernel: AufsKernelModel;
    };
    await bed.driver.open();
    return bed;
  }

  /** A further driver on the same home, not open. */
  another(): AufsDriver {
    const xino = join(this.base, 'xino');
    return new AufsDriver({ home: this.home, xino, kernel: this.kernel, ...this.#options });
  }

  async reopen(): Promise<AufsDriver> {
    await this.driver.close();
    this.driver = this.another();
    await this.driver.open();
    return this.driver;
  }

  at(...parts: readonly string[]): string {
    return join(this.home, ...parts);
  }

  /** xino files that were left. */
  get xinoFiles(): string[] {
    return readdirSync(this.base).filter((name) => name.startsWith('xino-'));
  }

  async close(): Promise<void> {
    try {
      await this.driver.close();
      const left = (await this.kernel.mounted()).filter(({ mountPoint }) => mountPoint.startsWith(this.base));
      if (left.length > 0)
        throw new Error(`still mounted: ${left.map(({ mountPoint }) => mountPoint).join(', ')}`);
    } finally {
      if (native.available) await unmountBelow(this.base);
      rmSync(this.base, { recursive: true, force: true });
    }
  }
}

/** Deterministic bytes. */
export function content(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed * 2_654_435_761 + 1;
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

export function writeAt(root: string, path: string, body: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), body);
}

/** Every path below `root` with type, mode, owner and content. */
export function listing(root: string, path = ''): string[] {
  const lines: string[] = [];
  for (const name of readdirSync(join(root, path)).sort()) {
    const inner = `${path}/${name}`;
    const stats = lstatSync(join(root, inner));
    const what = stats.isFile()
      ? createHash('sha1')
          .update(readFileSync(join(root, inner)))
          .digest('hex')
      : stats.isSymbolicLink()
        ? readlinkSync(join(root, inner))
        : '';
    lines.push(`${inner} ${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${what}`);
    if (stats.isDirectory()) lines.push(...listing(root, inner));
  }
  return lines;
}

/** Names in a directory, aufs's bookkeeping left out; none if it is not there. */
export function names(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => !name.startsWith('.wh..wh.'))
    .sort();
}

/** `A /path`, sorted. */
export function shown(changes: readonly Change[]): string[] {
  const letters = { add: 'A', modify: 'C', delete: 'D' };
  return changes.map(({ kind, path }) => `${letters[kind]} ${Buffer.from(path).toString()}`).sort();
}

/** A tar of files and directories (name with a slash at the end), with fixed times. */
export async function tarOf(tree: Readonly<Record<string, string>>): Promise<Buffer> {
  const entries = Object.entries(tree).map(([name, body]) => ({
    header: {
      kind: name.endsWith('/') ? ('directory' as const) : ('file' as const),
      name: Buffer.from(name),
      mode: name.endsWith('/') ? 0o755 : 0o644,
      size: Buffer.byteLength(body),
      mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
    },
    body: Buffer.from(body),
  }));
  return await bytesOf(writeTar(entries));
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Unpacks a tree of files into a layer. */
export async function apply(
  driver: AufsDriver,
  id: string,
  parent: string | undefined,
  tree: Readonly<Record<string, string>>,
): Promise<number> {
  const bytes = await tarOf(tree);
  return await driver.applyDiff(id, parent, layerSource(chunksOf(bytes)));
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** `kind:path` of the entries of an archive, as GNU tar would list them. */
export function entryNames(archive: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const text = (from: number, to: number): string =>
      archive
        .subarray(at + from, at + to)
        .toString('latin1')
        .replace(/\0.*$/s, '');
    found.push(text(0, 100));
    at += 512 + Math.ceil(Number.parseInt(text(124, 136), 8) / 512) * 512;
  }
  return found;
}
