import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';
import { describe, expect } from '@jest/globals';
import { overlay2Driver } from '@x/driver-overlay';
import { vfsDriver } from '@x/driver-vfs';
import { type Layer, LayerStore } from '@x/layer-store';
import { itWith, nativeAddon, program, rootPrivilege } from '../capability/capability.js';
import { runProgram } from '../program/run-program.js';
import { scratchDirectory } from '../scratch/scratch-directory.js';
import { treeListing } from '../tree/tree-listing.js';

const MINUTES = 60_000;
const itWithPeers = itWith(
  rootPrivilege(),
  nativeAddon(),
  program('umoci', 'Debian package umoci'),
  program('skopeo', 'Debian package skopeo'),
);

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface ImageConfig {
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

function blobOf(layout: string, { digest }: { readonly digest: string }): string {
  return path.join(layout, 'blobs', digest.replace(':', '/'));
}

/** An image layout that umoci made: two layers, by its own code, from trees that were edited in between. */
async function umociImage(directory: string): Promise<string> {
  const layout = path.join(directory, 'image');
  const umoci = (...args: readonly string[]) => runProgram('umoci', args);
  await umoci('init', '--layout', layout);
  await umoci('new', '--image', `${layout}:latest`);
  const bundle = path.join(directory, 'bundle');
  const edit = async (work: (root: string) => Promise<void>): Promise<void> => {
    await umoci('unpack', '--image', `${layout}:latest`, bundle);
    await work(path.join(bundle, 'rootfs'));
    await umoci('repack', '--image', `${layout}:latest`, bundle);
    await rm(bundle, { recursive: true });
  };
  await edit(async (root) => {
    await mkdir(path.join(root, 'etc/conf.d'), { recursive: true });
    await mkdir(path.join(root, 'opt/gone/below'), { recursive: true });
    await writeFile(path.join(root, 'etc/motd'), 'first\n');
    await writeFile(path.join(root, 'etc/conf.d/kept'), 'kept\n');
    await writeFile(path.join(root, 'etc/conf.d/deleted'), 'deleted\n');
    await writeFile(path.join(root, 'opt/gone/below/file'), 'x'.repeat(100_000));
    await symlink('motd', path.join(root, 'etc/issue'));
    await chmod(path.join(root, 'etc/motd'), 0o4711);
  });
  await edit(async (root) => {
    await appendFile(path.join(root, 'etc/motd'), 'second\n');
    await rm(path.join(root, 'etc/conf.d/deleted'));
    await rm(path.join(root, 'opt/gone'), { recursive: true });
    await writeFile(path.join(root, 'opt/gone'), 'a file now\n');
  });
  return layout;
}

async function imageIn(layout: string): Promise<{ manifest: Manifest; config: ImageConfig }> {
  const index = await readJson<{ readonly manifests: readonly Descriptor[] }>(
    path.join(layout, 'index.json'),
  );
  const [first] = index.manifests;
  if (first === undefined) throw new Error(`${layout} has no manifest`);
  const manifest = await readJson<Manifest>(blobOf(layout, first));
  return { manifest, config: await readJson<ImageConfig>(blobOf(layout, manifest.config)) };
}

/** Puts a blob into a layout and says what it is. */
async function addBlob(layout: string, mediaType: string, bytes: Buffer): Promise<Descriptor> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  await writeFile(blobOf(layout, { digest }), bytes);
  return { mediaType, digest, size: bytes.length };
}

/** An image layout of the layers as the store streams them out, gzipped as registries want them. */
async function layoutOf(layers: readonly Layer[], layout: string): Promise<void> {
  await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });
  const descriptors: Descriptor[] = [];
  for (const layer of layers) {
    const chunks: Buffer[] = [];
    await pipeline(layer.tarStream(), createGzip(), async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) chunks.push(chunk);
    });
    descriptors.push(
      await addBlob(layout, 'application/vnd.oci.image.layer.v1.tar+gzip', Buffer.concat(chunks)),
    );
  }
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const config = await addBlob(
    layout,
    'application/vnd.oci.image.config.v1+json',
    json({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created_by: 'layer-store' })),
    }),
  );
  const manifest = await addBlob(
    layout,
    'application/vnd.oci.image.manifest.v1+json',
    json({ schemaVersion: 2, config, layers: descriptors }),
  );
  const tagged = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'latest' } };
  await writeFile(path.join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  await writeFile(path.join(layout, 'index.json'), json({ schemaVersion: 2, manifests: [tagged] }));
}

function openStore(root: string, driver: string): Promise<LayerStore> {
  return LayerStore.open({ root, driver, drivers: [vfsDriver, overlay2Driver] });
}

/** Times of directories are what unpacking leaves them; umoci and we differ there where the archive says nothing. */
const comparable = (root: string): Promise<readonly string[]> => treeListing(root, { times: false });

async function unpackedByUmoci(layout: string, bundle: string): Promise<readonly string[]> {
  await runProgram('umoci', ['unpack', '--image', `${layout}:latest`, bundle]);
  return comparable(path.join(bundle, 'rootfs'));
}

describe.each(['vfs', 'overlay2'])('OCI images and %s', (driver) => {
  itWithPeers(
    "umoci's layers have the DiffIDs of its config, mount as umoci unpacks them, and stream back as they came",
    async () => {
      await using scratch = await scratchDirectory();
      const layout = await umociImage(scratch.path);
      const { manifest, config } = await imageIn(layout);
      expect(manifest.layers).toHaveLength(2);
      await using store = await openStore(`${scratch.path}/store`, driver);
      let layer: Layer | undefined;
      for (const [index, descriptor] of manifest.layers.entries()) {
        const blob = blobOf(layout, descriptor);
        layer = await store.register(createReadStream(blob), layer?.chainId);
        expect(layer.diffId).toBe(config.rootfs.diff_ids[index]);
        const out = `${scratch.path}/layer-${index}.tar`;
        await pipeline(layer.tarStream(), createWriteStream(out));
        expect(gunzipSync(await readFile(blob)).equals(await readFile(out))).toBe(true);
      }
      const rw = await store.createRWLayer('look', layer?.chainId);
      const mounted = await comparable(await rw.mount());
      await rw.unmount();
      expect(mounted).toEqual(await unpackedByUmoci(layout, `${scratch.path}/bundle`));
    },
    5 * MINUTES,
  );

  itWithPeers(
    'an image of layers that were edited here is copied by skopeo and unpacked by umoci as we mount it',
    async () => {
      await using scratch = await scratchDirectory();
      await using store = await openStore(`${scratch.path}/store`, driver);
      const rw = await store.createRWLayer('first');
      const first = await rw.mount();
      await mkdir(`${first}/srv/data`, { recursive: true });
      await writeFile(`${first}/srv/data/a`, 'a\n', { mode: 0o600 });
      await writeFile(`${first}/srv/data/b`, 'b\n');
      await rw.unmount();
      const base = await store.commit(rw);
      const next = await store.createRWLayer('second', base.chainId);
      const second = await next.mount();
      await rm(`${second}/srv/data`, { recursive: true });
      await mkdir(`${second}/srv/data`);
      await writeFile(`${second}/srv/data/c`, 'c\n');
      const mounted = await comparable(second);
      await next.unmount();
      const top = await store.commit(next);

      await layoutOf([base, top], `${scratch.path}/ours`);
      // skopeo checks every digest and the shape of the manifest on its way.
      const copy = `${scratch.path}/copied`;
      await runProgram('skopeo', ['copy', `oci:${scratch.path}/ours:latest`, `oci:${copy}:latest`]);
      expect((await imageIn(copy)).config.rootfs.diff_ids).toEqual([base.diffId, top.diffId]);
      expect((await stat(copy)).isDirectory()).toBe(true);
      expect(await unpackedByUmoci(copy, `${scratch.path}/bundle`)).toEqual(mounted);
    },
    5 * MINUTES,
  );
});
