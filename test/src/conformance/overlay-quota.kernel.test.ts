import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { overlay2Driver, overlayDriver } from '@x/driver-overlay';
import { runConformance } from './runner/run-conformance.js';

const MAKE = {
  xfs: ['mkfs.xfs', '-q'],
  ext4: ['mkfs.ext4', '-q', '-O', 'quota,project', '-E', 'quotatype=prjquota'],
} as const;
const IMAGE_BYTES = 400 * 1024 * 1024;

/** Where the file system has project quotas the overlay drivers claim them: the ordinary machine's kernel has none. */
describe.each(['xfs', 'ext4'] as const)('conformance of overlay quotas on %s', (type) => {
  let area: string;
  let home: string;

  beforeEach(() => {
    area = mkdtempSync(path.join(process.env.LAYER_STORE_SCRATCH ?? os.tmpdir(), 'overlay-quota-'));
    const image = path.join(area, 'image');
    home = path.join(area, 'mounted');
    writeFileSync(image, '');
    truncateSync(image, IMAGE_BYTES);
    mkdirSync(home);
    const [program, ...args] = MAKE[type];
    execFileSync(program, [...args, image]);
    execFileSync('mount', ['-o', 'loop,prjquota', image, home]);
  });
  afterEach(() => {
    execFileSync('umount', [home]);
    rmSync(area, { recursive: true });
  });

  it.each([overlay2Driver, overlayDriver])('$name keeps what it claims', async (factory) => {
    for (const grep of ['SetQuota', 'with the quota capability']) {
      const report = await runConformance({ factory, workDirectory: home, grep });
      expect(report.results).toEqual([expect.objectContaining({ outcome: 'pass' })]);
    }
  });
});
