import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DriverId } from '@x/layer-store';
import type { VfsDriver } from './vfs-driver.js';

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

/** A layer for reading and writing in one go. */
export async function edit(driver: VfsDriver, id: string, change: (root: string) => void): Promise<void> {
  await driver.withMount(id, async (root) => change(root));
}

export const idOf = (text: string): DriverId => text as DriverId;
