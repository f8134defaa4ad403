import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { describe, expect } from '@jest/globals';
import { overlay2Driver, overlayDriver } from '@x/driver-overlay';
import { vfsDriver } from '@x/driver-vfs';
import { type Layer, LayerStore } from '@x/layer-store';
import { itWith, nativeAddon, program, rootPrivilege } from '../capability/capability.js';
import { changedDebianTar } from '../corpus/changed-debian-tree.js';
import { debianTar } from '../corpus/debian-tree.js';
import { npmTar } from '../corpus/npm-tree.js';
import { runProgram } from '../program/run-program.js';
import { scratchDirectory } from '../scratch/scratch-directory.js';
import { treeListing } from '../tree/tree-listing.js';

const MINUTES = 60_000;
const itOnDebian = itWith(
  rootPrivilege(),
  nativeAddon(),
  program('debootstrap', 'Debian package debootstrap'),
);

async function exportMatches(layer: Layer, original: string, scratch: string): Promise<void> {
  const exported = `${scratch}/exported.tar`;
  await pipeline(layer.tarStream(), createWriteStream(exported));
  await runProgram('/usr/bin/cmp', [original, exported]);
}

async function extractWithGnuTar(target: string, file: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await runProgram('/usr/bin/tar', [
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '-C',
    target,
    '-xpf',
    file,
  ]);
}

function openStore(root: string, driver: string): Promise<LayerStore> {
  return LayerStore.open({ root, driver, drivers: [vfsDriver, overlay2Driver, overlayDriver] });
}

describe.each(['vfs', 'overlay2', 'overlay'])('real layers on %s', (driver) => {
  itOnDebian(
    'a Debian tree, a layer of changes on it and an npm tree stream back byte for byte',
    async () => {
      await using scratch = await scratchDirectory();
      const files = [await debianTar(), await changedDebianTar(), await npmTar()];
      await using store = await openStore(`${scratch.path}/store`, driver);
      let parent: Layer | undefined;
      for (const file of files) {
        parent = await store.register(createReadStream(file, { highWaterMark: 1 << 20 }), parent?.chainId);
        await exportMatches(parent, file, scratch.path);
      }
      expect(store.map().size).toBe(3);
    },
    10 * MINUTES,
  );

  itOnDebian(
    'what is on disk is what GNU tar makes: owners, modes, nanoseconds, links, devices, capabilities',
    async () => {
      await using scratch = await scratchDirectory();
      const file = await debianTar();
      await using store = await openStore(`${scratch.path}/store`, driver);
      const layer = await store.register(createReadStream(file));
      const rw = await store.createRWLayer('look', layer.chainId);
      const mounted = await treeListing(await rw.mount());
      await rw.unmount();
      await extractWithGnuTar(`${scratch.path}/gnu`, file);
      const expected = await treeListing(`${scratch.path}/gnu`);
      expect(expected.some((line) => line.includes('security.capability='))).toBe(true);
      expect(mounted).toEqual(expected);
    },
    10 * MINUTES,
  );

  itOnDebian(
    'a layer of changes on the Debian tree deletes, replaces and hides what it should',
    async () => {
      await using scratch = await scratchDirectory();
      await using store = await openStore(`${scratch.path}/store`, driver);
      const base = await store.register(createReadStream(await debianTar()));
      const changed = await store.register(createReadStream(await changedDebianTar()), base.chainId);
      const rw = await store.createRWLayer('look', changed.chainId);
      const lines = await treeListing(await rw.mount());
      const names = new Set(lines.map((line) => line.split(' ', 1)[0]));
      await rw.unmount();
      expect(names).toContain('/etc/motd.new');
      expect(names).not.toContain('/etc/debian_version');
      expect(names).not.toContain('/usr/share/doc/bash');
      expect(names).toContain('/usr/share/bug/only-this-is-left');
      expect([...names].filter((name) => name?.startsWith('/usr/share/bug/'))).toEqual([
        '/usr/share/bug/only-this-is-left',
      ]);
      expect([...names].filter((name) => name?.includes('.wh.'))).toEqual([]);
    },
    10 * MINUTES,
  );
});
