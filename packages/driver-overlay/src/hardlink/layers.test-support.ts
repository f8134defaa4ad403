import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LayerSource } from '@x/layer-store';
import { layerSource } from '@x/layer-store';
import { OverlayDriver } from '../overlay-driver.js';

export const FILES: Readonly<Record<string, string>> = {
  'etc/config': 'config',
  'etc/other': 'other',
  'usr/bin/tool': '#!/bin/sh',
  'usr/lib/a/deep': 'deep',
  'var/gone': 'gone',
};

/** Writes files below `root`. */
export function plant(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** GNU tar's archive of a directory: its entries one by one, so that the order is known. */
export function archiveOf(directory: string, ...args: readonly string[]): Buffer {
  return execFileSync('tar', ['-C', directory, '--xattrs', '--xattrs-include=*', '-cf', '-', ...args]);
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  // Copied: the unpacking may keep what it is given.
  for (let at = 0; at < bytes.length; at += 65_536) yield new Uint8Array(bytes.subarray(at, at + 65_536));
}

/** A layer of tar bytes; `portable` does without the addon. */
export function layerOf(tar: Uint8Array, portable = false): LayerSource {
  return layerSource(chunks(tar), { portable });
}

export async function openHardlink(home: string): Promise<OverlayDriver> {
  const driver = new OverlayDriver({ home, layout: 'hardlink' });
  await driver.open();
  return driver;
}

/** An image: a parentless layer, and on it one that was unpacked, so that it shares files. */
export async function makeImage(driver: OverlayDriver, tar: Uint8Array): Promise<void> {
  await driver.create('base');
  await driver.withMount('base', async (root) => plant(root, FILES));
  await driver.create('image', 'base');
  await driver.applyDiff('image', 'base', layerOf(tar));
}
