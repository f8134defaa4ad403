/**
 * Run by rootless-commit.test.ts as an ordinary user: registers the layer on its standard input in a store with the vfs
 * driver, edits a read-write layer on it, commits, and prints what came of it as JSON.
 */
import { appendFileSync, lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatChange, readArchive } from '@x/archive';
import { LayerStore } from '@x/layer-store';
import { VfsDriver } from './vfs-driver.js';

const root = process.argv[2] ?? '';

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function headers(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { header } of readArchive(stream)) {
    const xattrs = header.xattrs.map(({ name }) => ` ${Buffer.from(name).toString()}`).join('');
    const name = Buffer.from(header.name).toString();
    lines.push(`${header.uid}:${header.gid} ${header.mode.toString(8)} ${name}${xattrs}`);
  }
  return lines;
}

const driver = new VfsDriver({ home: join(root, 'vfs') });
const store = await LayerStore.open({ root, driver });
const base = await store.register(process.stdin);
const exported = await collect(base.tarStream());
// Not the recorded bytes but the tree on disk, which is what a diff is made of.
const [only = ''] = await driver.list();
const whole = await headers(driver.diff(only));

const rw = await store.createRWLayer('work', base.chainId);
const path = await rw.mount();
const before = (await rw.changes()).map(formatChange);
const onDisk = (lstatSync(join(path, 'srv/secret')).mode & 0o7777).toString(8);
appendFileSync(join(path, 'srv/page'), ' edited');
writeFileSync(join(path, 'srv/mine'), 'mine', { mode: 0o644 });
await rw.unmount();
const changes = (await rw.changes()).map(formatChange);
const layer = await store.commit(rw);
const committed = await headers(layer.tarStream());

process.stdout.write(
  JSON.stringify({
    uid: process.getuid?.(),
    status: await driver.status(),
    exported: exported.toString('base64'),
    before,
    onDisk,
    changes,
    committed,
    whole,
  }),
);
await store.close();
