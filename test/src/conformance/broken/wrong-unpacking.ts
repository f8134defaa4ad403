import { mkdtemp, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import { applyLayer, createArchive } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import type { DriverCapabilities, DriverFactory, DriverId, LayerSource } from '@x/layer-store';
import { type BrokenDriver, claim, factoryOf, layerDirectory } from './broken-driver.js';
import { eachEntry } from './each-entry.js';

/** Which of the two ways of taking something away a driver forgets. */
type Forgotten = 'deletions' | 'opaque directories';

/**
 * A vfs that unpacks a layer by itself, in the form of an overlay, and puts it upon the layer's content without all that it says is
 * gone. `forgets` is asked for each layer.
 */
function unpackingWith(
  forgets: (id: DriverId) => Forgotten | undefined,
  claims: Partial<DriverCapabilities> = {},
): DriverFactory {
  return factoryOf(
    class extends VfsDriver {
      constructor(options: { readonly home: string }) {
        super(options);
        claim(this, claims);
      }
      protected override async _applyDiff(
        id: DriverId,
        parent: DriverId | undefined,
        layer: LayerSource,
        signal: AbortSignal | undefined,
      ): Promise<number> {
        const forgotten = forgets(id);
        if (forgotten === undefined) return super._applyDiff(id, parent, layer, signal);
        const upper = await mkdtemp(path.join(this.home, 'upper-'));
        try {
          const { size } = await layer.unpack(upper, { whiteouts: 'overlay' });
          const target = layerDirectory(this, id);
          await eachEntry(upper, async (entry, stat) => {
            if (!stat.isCharacterDevice() || stat.rdev !== 0n) return;
            await unlink(entry);
            const name = entry.subarray(Buffer.byteLength(upper));
            const deleted = Buffer.concat([Buffer.from(target), name]);
            if (forgotten !== 'deletions') await rm(deleted, { recursive: true, force: true });
          });
          await applyLayer(createArchive(upper), target);
          return size;
        } finally {
          await rm(upper, { recursive: true });
        }
      }
    },
  );
}

/** Layers that are not unpacked as they say. */
export const WRONG_UNPACKING: readonly BrokenDriver[] = [
  {
    breaks: 'ignores whiteouts',
    factory: unpackingWith(() => 'deletions'),
    check: 'whiteouts: a whiteout deletes a file and nothing beside it',
    reason: /(d\/a|content of d)/,
    needs: ['root', 'native'],
  },
  {
    breaks: 'ignores opaque markers',
    factory: unpackingWith(() => 'opaque directories'),
    check: 'whiteouts: an opaque directory shows only what its layer has in it',
    reason: /content of d: expected names new, found a, b, new, sub/,
    needs: ['root', 'native'],
  },
  {
    breaks: 'ignores the whiteouts of one layer deep in a chain',
    factory: unpackingWith((id) => (id === 'level-20' ? 'deletions' : undefined), { maxDepth: 22 }),
    check: 'deep-chain: every layer of a deep chain shows what it should',
    reason: /names in layer 20/,
    needs: ['root', 'native'],
  },
  {
    breaks: 'has a limit to the depth of chains that it does not keep',
    factory: factoryOf(
      class extends VfsDriver {
        constructor(options: { readonly home: string }) {
          super(options);
          claim(this, { maxDepth: 4 });
        }
      },
    ),
    check: 'deep-chain: a chain as deep as the limit is whole',
    reason: /create above the limit: expected a failure/,
  },
  {
    breaks: 'miscounts what it unpacks',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _applyDiff(
          id: DriverId,
          parent: DriverId | undefined,
          layer: LayerSource,
          signal: AbortSignal | undefined,
        ): Promise<number> {
          return (await super._applyDiff(id, parent, layer, signal)) + 1;
        }
      },
    ),
    check: 'store: a layer can be unpacked onto a read-write layer',
    reason: /size of what was unpacked: expected 7, found 8/,
  },
];
