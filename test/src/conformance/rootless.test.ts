import { describe, expect, it } from '@jest/globals';
import { expectConformance, SUITE_TIME } from './other-process.test-support.js';

describe('conformance without root', () => {
  it.each([
    ['vfs', '@x/driver-vfs'],
    ['fuse-overlayfs', '@x/driver-overlay'],
  ])(
    '%s passes the whole suite as an ordinary user',
    async (name, module) => {
      const summary = await expectConformance(name, module, { unprivileged: true });
      if (summary !== undefined) expect(summary.facts.root).toBe(false);
    },
    SUITE_TIME,
  );
});
