import { readdirSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import { native } from '@x/native';
import { describeMounts } from '../describe-mounts.test-support.js';
import { KernelMounter } from '../mount/kernel-mounter.js';
import { TestArea } from '../test-area.test-support.js';
import { tryUpper, type UpperTraits } from './native-diff-trial.js';

const mounting = describeMounts();

async function traitsWith(mountOptions: readonly string[]): Promise<UpperTraits | undefined> {
  if (!native.available) return undefined;
  using area = new TestArea('/dev/shm');
  const mounter = new KernelMounter({ mountInterface: 'auto', mountOptions, plainUppers: false });
  const traits = await tryUpper(native.calls, mounter, area.path, false);
  expect(readdirSync(area.path)).toEqual([]);
  expect(mountsBelow(await readMountInfo(), area.path)).toEqual([]);
  return traits;
}

mounting('an upper directory', () => {
  it('says all there is to say about a layer with plain options', async () => {
    const plain = ['redirect_dir=off', 'metacopy=off'];
    expect(await traitsWith(plain)).toEqual({ nativeDiff: true, metacopy: false });
  });

  it('does not when renamed directories are redirects', async () => {
    expect(await traitsWith(['redirect_dir=on', 'metacopy=off'])).toEqual({
      nativeDiff: false,
      metacopy: false,
    });
  });

  it('does not when files are copied up without their data', async () => {
    expect(await traitsWith(['redirect_dir=on', 'metacopy=on'])).toEqual({
      nativeDiff: false,
      metacopy: true,
    });
  });
});
