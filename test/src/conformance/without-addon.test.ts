import { describe, expect, it } from '@jest/globals';
import { expectConformance, SUITE_TIME } from './other-process.test-support.js';

describe('conformance without the addon', () => {
  it(
    'vfs passes every check that the portable executors can be held to',
    async () => {
      const summary = await expectConformance('vfs', '@x/driver-vfs', { env: { LAYER_STORE_NATIVE: 'off' } });
      expect(summary?.facts.native).toBe(false);
      expect(summary?.passed).toBeGreaterThan(100);
    },
    SUITE_TIME,
  );
});
