import { describe, expect, it } from '@jest/globals';
import { FUSE_OVERLAYFS_FAULTS } from './fuse-overlayfs-faults.test-support.js';
import { expectConformance, SUITE_TIME } from './other-process.test-support.js';

describe('conformance without root', () => {
  it.each<readonly [name: string, module: string, without: readonly string[]]>([
    ['vfs', '@x/driver-vfs', []],
    ['fuse-overlayfs', '@x/driver-overlay', FUSE_OVERLAYFS_FAULTS],
  ])(
    '%s passes the whole suite as an ordinary user',
    async (name, module, without) => {
      const summary = await expectConformance(name, module, { unprivileged: true, without });
      if (summary !== undefined) expect(summary.facts.root).toBe(false);
    },
    SUITE_TIME,
  );
});
