import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type AddonLocation, locateAddon, platformName } from './candidates.js';
import { type FeatureProbes, lazyFeatures } from './features.js';
import type { NativeCalls, NativeState } from './types.js';

type Addon = NativeCalls & { readonly probes: FeatureProbes };

const requireAddon = createRequire(import.meta.url);

/** Loads what was found. A file that is there and does not load is reported, never taken for a missing one. */
export function loadFrom(location: AddonLocation): NativeState {
  if (!location.found) return Object.freeze({ available: false, reason: location.reason });
  try {
    const addon = requireAddon(location.path) as Addon;
    return Object.freeze({
      available: true,
      reason: undefined,
      path: location.path,
      features: lazyFeatures(addon.probes),
      calls: addon,
    });
  } catch (error) {
    const message = String((error as { message?: unknown }).message ?? error);
    return Object.freeze({
      available: false,
      reason: `${location.path} is there but does not load: ${message}; rebuild it with: npx build-native`,
    });
  }
}

let loaded: NativeState | undefined;

/**
 * The addon, loaded on the first call and remembered. LAYER_STORE_NATIVE=off disables it, LAYER_STORE_NATIVE=FILE loads that
 * file. Never throws: `reason` says why there is none.
 */
export function loadNative(): NativeState {
  loaded ??= loadFrom(
    locateAddon({
      override: process.env.LAYER_STORE_NATIVE,
      packageRoot: fileURLToPath(new URL('..', import.meta.url)),
      platform: platformName(),
    }),
  );
  return loaded;
}

/**
 * The same as an object, for `if (native.available) native.calls…`. Importing it loads nothing; reading it does.
 */
export const native: NativeState = new Proxy<NativeState>(
  { available: false, reason: '' },
  {
    // The target must stay unfrozen: a proxy may not answer otherwise than a read-only property of its target.
    get: (_target, key) => Reflect.get(loadNative(), key) as unknown,
  },
);
