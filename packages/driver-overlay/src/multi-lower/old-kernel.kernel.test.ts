import { readdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatChange } from '@x/archive';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import { fsconfigSupport } from '../mount/mount-means.js';
import { OverlayDriver } from '../overlay-driver.js';
import { TestArea } from '../test-area.test-support.js';

/*
 * The guest's kernel has fsopen(2) but no lowerdir+ (Linux 6.7): what the other tests switch off is missing here.
 */

let area: TestArea;
beforeEach(() => {
  area = new TestArea(process.env.LAYER_STORE_SCRATCH);
});
afterEach(() => area[Symbol.dispose]());

describe(`the multi-lower layout on Linux ${release()}`, () => {
  it('finds out that layers cannot be given one by one', () => {
    expect(fsconfigSupport()).toBe('none');
    expect(new OverlayDriver({ home: area.at('home') }).capabilities.maxDepth).toBe(129);
  });

  it('refuses to do it nevertheless, and says what it takes', async () => {
    await using driver = new OverlayDriver({ home: area.at('home'), mountInterface: 'fsopen' });
    await expect(driver.open()).rejects.toMatchObject({
      code: 'DRIVER_NOT_SUPPORTED',
      message: expect.stringContaining('Linux 6.7'),
    });
  });

  it('mounts as many layers as fit the options of mount(2)', async () => {
    const depth = 129;
    const home = area.at('home');
    await using driver = new OverlayDriver({ home });
    await driver.open();
    const idOf = (index: number): string => String(index).padStart(64, '0');
    for (let index = 0; index < depth; index++) {
      await driver.create(idOf(index), index === 0 ? undefined : idOf(index - 1));
      writeFileSync(join(home, idOf(index), 'diff', `file-${index}`), '');
    }
    const top = idOf(depth - 1);
    await driver.withMount(top, async (root) => {
      expect(readdirSync(root)).toHaveLength(depth);
      writeFileSync(join(root, 'new'), 'x');
    });
    expect((await driver.changes(top, idOf(depth - 2))).map(formatChange)).toEqual([
      `A /file-${depth - 1}`,
      'A /new',
    ]);
    await expect(driver.create('one-more', top)).rejects.toMatchObject({ code: 'LAYER_MAX_DEPTH' });
    expect(mountsBelow(await readMountInfo(), home)).toEqual([]);
  });

  it('knows what its upper directories are worth', async () => {
    await using driver = new OverlayDriver({ home: area.at('home') });
    await driver.open();
    expect(Object.fromEntries(await driver.status())).toMatchObject({
      'Native Overlay Diff': 'true',
      'Using metacopy': 'false',
    });
  });
});
