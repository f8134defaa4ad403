import { describe } from '@jest/globals';
import { loadNative, type NativeState } from '@x/native';

/**
 * `describe` for the suites of this directory, which look at what was made through the addon, also at what the portable executor
 * made. Without the addon they are skipped, and that is said; in CI it must be there unless it was switched off.
 */
export const describeWithAddon: typeof describe = suiteOf(loadNative());

function suiteOf(native: NativeState): typeof describe {
  const required = process.env.CI === 'true' && process.env.LAYER_STORE_NATIVE !== 'off';
  if (native.available || required) return describe;
  console.warn(`skipped: the executor suites need the native addon: ${native.reason}`);
  return describe.skip as typeof describe;
}
