/** Trees for tests: made from a description, compared as text, removed with the test. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Modification time of everything a test tree holds, far from any clock: seconds. */
export const TREE_TIME = 1_600_000_000;

export type Node =
  | {
      readonly file: string | Buffer;
      readonly mode?: number;
      readonly mtime?: number;
      readonly owner?: readonly [number, number];
    }
  | {
      readonly dir: true;
      readonly mode?: number;
      readonly mtime?: number;
      readonly owner?: readonly [number, number];
    }
  | { readonly symlink: string; readonly mtime?: number }
  | { readonly link: string }
  | { readonly fifo: true }
  | { readonly device: readonly ['c' | 'b', number, number] };

/** A directory of its own below the temporary directory. */
export class Scratch implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'layer-store-trees-'));

  at(name: string): string {
    return join(this.path, name);
  }

  /** Makes `name` with the nodes given, parents implied; times of directories are set last. */
  tree(name: string, nodes: Readonly<Record<string, Node>> = {}): string {
    const root = this.at(name);
    mkdirSync(root, { recursive: true });
    plant(root, nodes);
    return root;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Adds nodes to a directory that exists. */
export function plant(root: string, nodes: Readonly<Record<string, Node>>): void {
  const directories = new Set<string>();
  for (const [name, node] of Object.entries(nodes)) {
    const path = join(root, name);
    for (let parent = dirname(path); parent.length > root.length; parent = dirname(parent))
      directories.add(parent);
    mkdirSync(dirname(path), { recursive: true });
    if ('file' in node) writeFileSync(path, node.file);
    else if ('dir' in node) mkdirSync(path, { recursive: true });
    else if ('symlink' in node) symlinkSync(node.symlink, path);
    else if ('link' in node) linkSync(join(root, node.link), path);
    else if ('fifo' in node) execFileSync('mkfifo', [path]);
    else execFileSync('mknod', [path, ...node.device.map(String)]);
    if ('owner' in node && node.owner !== undefined) lchownSync(path, node.owner[0], node.owner[1]);
    if ('mode' in node && node.mode !== undefined) chmodSync(path, node.mode);
    if (!('link' in node))
      lutimesSync(path, TREE_TIME, 'mtime' in node ? (node.mtime ?? TREE_TIME) : TREE_TIME);
  }
  const deepest = [...directories].sort().reverse();
  for (const path of deepest) lutimesSync(path, TREE_TIME, TREE_TIME);
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Both ways of reaching the file system, for `describe.each`. */
export const BOTH_WAYS: readonly { readonly way: string; readonly portable: boolean }[] = [
  { way: 'with the addon', portable: false },
  { way: 'without the addon', portable: true },
];

/** Root is needed for owners, devices and trusted attributes; CI runs as root. */
export const IS_ROOT: boolean = process.getuid?.() === 0;
