/**
 * `npm run demo`: the main job on embedded defaults. Layers made from files of this machine go in, are mounted, edited,
 * committed and come out again, and `sha256sum`, which knows nothing of this project, says that the bytes are the same.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createArchive, formatChange, formatSize } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import { type Layer, LayerStore } from '@x/layer-store';
import { loadNative } from '@x/native';
import { findProgram } from '../program/find-program.js';
import { runProgram } from '../program/run-program.js';

const repository = path.resolve(import.meta.dirname, '../../..');
const started = Date.now();

function say(text: string): void {
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(2).padStart(6)} s  ${text}\n`);
}

async function sha256(file: string): Promise<string> {
  const program = findProgram('sha256sum');
  if (program === undefined)
    throw new Error('the demo checks with sha256sum (Debian package coreutils); it is not installed');
  const { stdout } = await runProgram(program, [file]);
  return `sha256:${stdout.slice(0, 64)}`;
}

async function archiveOf(directory: string, file: string): Promise<void> {
  await pipeline(createArchive(directory), createWriteStream(file));
}

async function registerFile(store: LayerStore, file: string, parent: Layer | undefined): Promise<Layer> {
  const layer = await store.register(createReadStream(file, { highWaterMark: 1 << 20 }), parent?.chainId);
  const { size } = await stat(file);
  say(`registered ${path.basename(file)} (${formatSize(size)}) as ${layer.chainId.slice(0, 19)}…`);
  return layer;
}

async function demo(scratch: string): Promise<void> {
  const native = loadNative();
  say(
    native.available
      ? 'native addon: loaded'
      : `native addon: absent (${native.reason}); the portable executors do the work`,
  );

  const base = `${scratch}/base.tar`;
  const app = `${scratch}/app.tar`;
  await archiveOf(path.join(repository, 'node_modules/typescript'), base);
  await archiveOf(path.join(repository, 'packages'), app);

  const root = `${scratch}/store`;
  const home = `${scratch}/vfs`;
  await using store = await LayerStore.open({ root, driver: new VfsDriver({ home }) });
  const baseLayer = await registerFile(store, base, undefined);
  const appLayer = await registerFile(store, app, baseLayer);

  const rw = await store.createRWLayer('demo', appLayer.chainId);
  const mount = await rw.mount();
  await writeFile(path.join(mount, 'HELLO'), 'written through the mount\n');
  await appendFile(path.join(mount, 'README.md'), '\nedited\n');
  await chmod(path.join(mount, 'package.json'), 0o600);
  await rm(path.join(mount, 'cli'), { recursive: true });
  await rw.unmount();
  const changes = await rw.changes();
  say(`mounted, edited: ${changes.map(formatChange).join(', ')}`);

  const committed = await store.register(rw.tarStream(), appLayer.chainId);
  await store.releaseRWLayer(rw);
  say(`committed the changes as ${committed.chainId.slice(0, 19)}… and removed the read-write layer`);

  for (const [layer, original] of [
    [baseLayer, base],
    [appLayer, app],
    [committed, undefined],
  ] as const) {
    const exported = `${scratch}/exported.tar`;
    await pipeline(layer.tarStream(), createWriteStream(exported));
    const digest = await sha256(exported);
    if (digest !== layer.diffId) throw new Error(`exported ${digest}, registered ${layer.diffId}`);
    if (original !== undefined && digest !== (await sha256(original)))
      throw new Error(`${original} came out changed`);
    say(
      `exported ${layer.diffId.slice(0, 19)}…: sha256sum agrees${original === undefined ? '' : ', same bytes as the original'}`,
    );
  }

  await store.release(appLayer);
  await store.release(baseLayer);
  const removed = await store.release(committed);
  say(
    `released: ${removed.length} layers removed, child first; ${(await readdir(`${home}/dir`)).length} left in the driver`,
  );
}

const scratch = await mkdtemp(path.join(os.tmpdir(), 'layer-store-demo-'));
try {
  await mkdir(`${scratch}/vfs`);
  await demo(scratch);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
say('nothing is left behind');
