import { truncate } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { VfsDriver } from '@x/driver-vfs';
import { LayerStore } from '@x/layer-store';
import { scratchDirectory } from '../scratch/scratch-directory.js';
import { chunked, smallLayer } from './small-layer.js';

/** A file system that loses the end of a file without saying so. */
class LossyVfsDriver extends VfsDriver {
  override async applyDiff(...args: Parameters<VfsDriver['applyDiff']>): Promise<number> {
    const size = await super.applyDiff(...args);
    await truncate(path.join(this.home, 'dir', args[0], 'data'), 3);
    return size;
  }
}

describe('register with verify', () => {
  it('refuses a layer that the disk would not give back, and leaves nothing', async () => {
    await using scratch = await scratchDirectory();
    const driver = new LossyVfsDriver({ home: `${scratch.path}/vfs` });
    await using store = await LayerStore.open({ root: `${scratch.path}/store`, driver });
    const { bytes } = smallLayer({ data: 'nine bytes' });
    await expect(store.register(chunked(bytes), undefined, { verify: true })).rejects.toMatchObject({
      code: 'ARCHIVE_NOT_REPRODUCIBLE',
    });
    expect(store.map().size).toBe(0);
    expect(await driver.list()).toEqual([]);
  });

  it('takes one that comes back whole', async () => {
    await using scratch = await scratchDirectory();
    const driver = new VfsDriver({ home: `${scratch.path}/vfs` });
    await using store = await LayerStore.open({ root: `${scratch.path}/store`, driver });
    const { bytes, diffId } = smallLayer({ data: 'nine bytes' });
    expect((await store.register(chunked(bytes), undefined, { verify: true })).diffId).toBe(diffId);
  });
});
