import { describe } from '@jest/globals';
import { native } from '@x/native';
import { IS_ROOT } from './test-area.test-support.js';

/** `describe` where this process can mount overlay; else a skip that says why, except in CI, where it is to fail. */
export function describeMounts(): typeof describe {
  const missing = IS_ROOT ? native.reason : 'not running as root';
  const required = process.env.CI === 'true' && process.env.LAYER_STORE_NATIVE !== 'off';
  if (missing === undefined || required) return describe;
  console.warn(`overlay mounts are not tested: ${missing}`);
  return describe.skip as typeof describe;
}
