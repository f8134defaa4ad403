import type { LayerSource } from '@x/layer-store';
import { layerSource } from '@x/layer-store';
import { file, tree } from '../../appliers/index.js';
import type { Check } from '../../check.js';
import { expectAborted, expectEqual, expectTrue } from '../../expectation.js';
import { edit, randomContent, verify } from '../../fixtures/layers.js';
import { layerBytes, layerEntry } from '../../layer-bytes.js';
import { OPERATIONS } from './operations.js';

const family = 'contract';
const MEGABYTE = 1_000_000;

/** What is stopped fails with an AbortError, and leaves nothing half done. */
export const ABORT_CHECKS: readonly Check[] = [
  ...OPERATIONS.filter(({ takesSignal }) => takesSignal).map(
    (operation): Check => ({
      family,
      name: `${operation.name} with a signal that is aborted already does nothing`,
      run: async ({ driver }) => {
        await driver.create('basis');
        await edit(driver, 'basis', file('f', 'basis'));
        await driver.create('layer', 'basis');
        const signal = AbortSignal.abort();
        const id = operation.id === 'new' ? 'fresh' : 'layer';
        const parent = operation.takesParent === true ? { parent: 'basis' } : {};
        await expectAborted(operation.name, () => operation.run(driver, id, { ...parent, signal }));
        expectEqual((await driver.list()).sort(), ['basis', 'layer'], 'layers');
        expectEqual(await driver.changes('layer', 'basis'), [], 'changes');
        await driver.remove('layer');
        await driver.remove('basis');
      },
    }),
  ),
  {
    family,
    name: 'applyDiff that is stopped in the middle fails, and its layer can be removed',
    run: async ({ driver }) => {
      await driver.create('basis');
      const stop = new AbortController();
      await expectAborted('applyDiff', async () =>
        driver.applyDiff('basis', undefined, await endlessLayer(() => stop.abort()), { signal: stop.signal }),
      );
      await driver.remove('basis');
      expectEqual(await driver.list(), [], 'layers');
      await driver.create('basis');
      await verify(driver, 'basis', tree());
    },
  },
  {
    family,
    name: 'a diff that is stopped in the middle fails, and its layer can be removed',
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(
        driver,
        'basis',
        file('a', randomContent(MEGABYTE, 1)),
        file('b', randomContent(MEGABYTE, 2)),
      );
      const stop = new AbortController();
      const diff = driver.diff('basis', undefined, { signal: stop.signal });
      await expectAborted('reading the diff', async () => {
        for await (const chunk of diff) {
          expectTrue(chunk.length > 0, 'a chunk has bytes');
          stop.abort();
        }
      });
      await diff.close();
      await driver.remove('basis');
    },
  },
  {
    family,
    name: 'a diff that is not read to its end lets go of its layers when it is closed',
    run: async ({ driver }) => {
      await driver.create('basis');
      await edit(driver, 'basis', file('a', randomContent(MEGABYTE, 1)));
      await driver.create('layer', 'basis');
      await edit(driver, 'layer', file('b', randomContent(MEGABYTE, 2)));
      for await (const chunk of driver.diff('layer', 'basis')) {
        if (chunk.length > 0) break;
      }
      const unread = driver.diff('layer', 'basis');
      await unread.close();
      await unread.close();
      await driver.remove('layer');
      await driver.remove('basis');
    },
  },
  {
    family,
    name: 'create that is stopped leaves a whole layer or none',
    run: async ({ driver }) => {
      await driver.create('basis');
      const files = Array.from({ length: 200 }, (_, index) =>
        file(`d${index % 10}/f${index}`, randomContent(4096, index)),
      );
      await edit(driver, 'basis', ...files);
      const stop = new AbortController();
      const creating = driver.create('child', 'basis', {}, stop.signal).then(
        () => true,
        () => false,
      );
      stop.abort();
      const made = await creating;
      expectEqual(await driver.exists('child'), made, 'the layer exists');
      if (made) await verify(driver, 'child', ...files);
      else await driver.create('child', 'basis');
      expectEqual(await driver.changes('child', 'basis'), [], 'changes of the child');
    },
  },
];

/** A layer without an end; `midway` is called when some of it was read. */
async function endlessLayer(midway: () => void): Promise<LayerSource> {
  const body = randomContent(MEGABYTE, 3);
  async function* stream(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let index = 0; ; index++) {
      if (index === 4) midway();
      const entry = await layerBytes(layerEntry.file(`f${index}`, body));
      yield entry.subarray(0, entry.length - 1024);
    }
  }
  return layerSource(stream());
}
