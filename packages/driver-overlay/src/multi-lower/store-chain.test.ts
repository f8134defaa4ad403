import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { END_OF_ARCHIVE, encodeTarHeader, tarPadding } from '@x/archive';
import { type ChainId, type Layer, LayerStore } from '@x/layer-store';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import { describeMounts } from '../describe-mounts.test-support.js';
import { overlay2Driver } from '../factory.js';
import { TestArea } from '../test-area.test-support.js';

const mounting = describeMounts();
const LAYERS = 120;
/** On a busy machine. Milliseconds. */
const TIMEOUT = 60_000;

/** A layer with a file of its own, one that every layer has, and a deletion of the previous layer's second file. */
function layerBytes(index: number): Buffer {
  const entry = (name: string, content: string): Uint8Array[] => [
    encodeTarHeader({
      kind: 'file',
      name: Buffer.from(name),
      size: content.length,
      mode: 0o644,
      mtime: { seconds: 1_000_000_000 + index, nanoseconds: 0 },
    }),
    Buffer.from(content),
    Buffer.alloc(tarPadding(content.length)),
  ];
  return Buffer.concat([
    ...entry(`kept-${index}`, `kept ${index}`),
    ...entry('same', `same ${index}`),
    ...entry(`deleted-${index}`, 'x'),
    ...(index === 0 ? [] : entry(`.wh.deleted-${index - 1}`, '')),
    Buffer.from(END_OF_ARCHIVE),
  ]);
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

mounting.each(['fsopen', 'mount'])('a store on the multi-lower layout, mounted by %s', (by) => {
  let area: TestArea;

  beforeEach(() => {
    area = new TestArea('/dev/shm');
  });

  afterEach(async () => {
    const left = mountsBelow(await readMountInfo(), area.path);
    for (const { mountPoint } of left) execFileSync('umount', ['-l', mountPoint]);
    area[Symbol.dispose]();
    expect(left).toEqual([]);
  });

  const open = (): Promise<LayerStore> =>
    LayerStore.open({
      root: area.at('store'),
      drivers: [overlay2Driver],
      driverOptions: { mount_interface: by },
    });

  it(
    `registers, mounts and exports a chain of ${LAYERS} layers`,
    async () => {
      const digests: string[] = [];
      let top: ChainId | undefined;
      {
        await using store = await open();
        for (let index = 0; index < LAYERS; index++) {
          const bytes = layerBytes(index);
          digests.push(createHash('sha256').update(bytes).digest('hex'));
          const layer: Layer = await store.register(once(bytes), top);
          top = layer.chainId;
        }
      }
      await using store = await open();
      await using rw = await store.createRWLayer('container', top);
      const view = await rw.mount();
      expect(readdirSync(view)).toHaveLength(LAYERS + 2);
      await rw.unmount();
      let count = 0;
      for (let chainId = top; chainId !== undefined; count++) {
        await using layer = await store.get(chainId);
        const hash = createHash('sha256');
        for await (const chunk of layer.tarStream()) hash.update(chunk);
        expect(hash.digest('hex')).toBe(digests.pop());
        chainId = layer.parent?.chainId;
      }
      expect(count).toBe(LAYERS);
      await rw.release();
    },
    TIMEOUT,
  );
});
