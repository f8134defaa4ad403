import { createReadStream } from 'node:fs';
import { describe, expect } from '@jest/globals';
import { VfsDriver } from '@x/driver-vfs';
import { type Layer, LayerStore } from '@x/layer-store';
import { dockerStore, itWith, program, rootPrivilege } from '../capability/capability.js';
import { changedDebianTar } from '../corpus/changed-debian-tree.js';
import { debianTar } from '../corpus/debian-tree.js';
import { findProgram } from '../program/find-program.js';
import { runProgram } from '../program/run-program.js';
import { scratchDirectory } from '../scratch/scratch-directory.js';
import { treeListing } from '../tree/tree-listing.js';

interface DockerLayer {
  readonly op: string;
  readonly chainID: string;
  readonly diffID: string;
}

const itBesideDocker = itWith(
  rootPrivilege(),
  dockerStore(),
  program('debootstrap', 'Debian package debootstrap'),
);

describe("beside Docker's own store", () => {
  itBesideDocker(
    'a chain of Debian layers has the same DiffIDs, ChainIDs and tree',
    async () => {
      await using scratch = await scratchDirectory();
      const files = [await debianTar(), await changedDebianTar()];
      const { stdout } = await runProgram(findProgram('moby-layer') ?? '', [
        '-root',
        `${scratch.path}/docker`,
        '-driver',
        'vfs',
        'register',
        ...files,
      ]);
      const theirs = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as DockerLayer)
        .filter((line) => line.op === 'register');

      await using store = await LayerStore.open({
        root: `${scratch.path}/store`,
        driver: new VfsDriver({ home: `${scratch.path}/vfs` }),
      });
      const ours: Layer[] = [];
      for (const file of files) ours.push(await store.register(createReadStream(file), ours.at(-1)?.chainId));
      expect(ours.map((layer) => [layer.diffId, layer.chainId])).toEqual(
        theirs.map((layer) => [layer.diffID, layer.chainID]),
      );

      const rw = await store.createRWLayer('look', ours.at(-1)?.chainId);
      const mounted = await treeListing(await rw.mount());
      await rw.unmount();
      const chain = theirs.at(-1)?.chainID.slice('sha256:'.length) ?? '';
      const { stdout: cacheId } = await runProgram('/usr/bin/cat', [
        `${scratch.path}/docker/image/vfs/layerdb/sha256/${chain}/cache-id`,
      ]);
      // Docker's copy of the parent's directories keeps no modification time of the root and its own sub-second times; ours must not differ otherwise
      const withoutRoot = (listing: readonly string[]): readonly string[] =>
        listing.slice(1).map(withoutTime);
      expect(withoutRoot(mounted)).toEqual(
        withoutRoot(await treeListing(`${scratch.path}/docker/vfs/dir/${cacheId}`)),
      );
    },
    300_000,
  );
});

function withoutTime(line: string): string {
  return line.replace(/ mtime -?\d+/, '');
}
