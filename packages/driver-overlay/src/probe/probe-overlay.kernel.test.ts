import { mkdirSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestArea } from '../test-area.test-support.js';
import { forgetFindings, probeOverlay } from './probe-overlay.js';

let area: TestArea;
beforeEach(() => {
  forgetFindings();
  area = new TestArea(process.env.LAYER_STORE_SCRATCH);
});
afterEach(() => area[Symbol.dispose]());

describe('probing for overlay on a kernel with all of xfs', () => {
  it('refuses xfs without ftype, and names the remedy; where layers are already it warns', async () => {
    const home = area.image('xfs', 'xfs', 320, ['mkfs.xfs', '-q', '-m', 'crc=0', '-n', 'ftype=0']);
    expect(await probeOverlay(`${home}/overlay2`)).toMatchObject({
      supported: false,
      code: 'DRIVER_INCOMPATIBLE_FS',
      reason: expect.stringContaining('xfs'),
      remedy: expect.stringContaining('ftype=1'),
    });
    expect(readdirSync(home)).toEqual([]);
    mkdirSync(`${home}/overlay2/layer`, { recursive: true });
    expect(await probeOverlay(`${home}/overlay2`)).toMatchObject({
      supported: true,
      warnings: [expect.stringContaining('d_type')],
    });
  });

  it('succeeds on xfs as it is made today', async () => {
    const xfs = area.image('xfs', 'xfs', 320, ['mkfs.xfs', '-q']);
    expect(await probeOverlay(`${xfs}/overlay2`)).toEqual({ supported: true, warnings: [] });
  });
});
