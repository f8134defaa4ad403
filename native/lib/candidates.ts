import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the addon is to be loaded from, or why from nowhere. */
export type AddonLocation =
  | { readonly found: true; readonly path: string }
  | { readonly found: false; readonly reason: string };

/** What the choice depends on; passed in so that tests can stand on another machine. */
export interface LookupEnvironment {
  /** The value of LAYER_STORE_NATIVE: a file, `off`, or undefined (empty counts as that). */
  readonly override: string | undefined;
  /** This package's directory. */
  readonly packageRoot: string;
  /** `linux-x64`, with `.musl` where that is the C library. */
  readonly platform: string;
}

const ADDON_NAME = 'layer_store_native.node';

/** The platform's name in `prebuilds/`. */
export function platformName(): string {
  const report = process.report.getReport() as {
    readonly header?: { readonly glibcVersionRuntime?: string };
  };
  const musl = process.platform === 'linux' && report.header?.glibcVersionRuntime === undefined;
  return `${process.platform}-${process.arch}${musl ? '.musl' : ''}`;
}

/**
 * Override, then the prebuilt addon, then one built from source. An override that names a missing file finds nothing: who
 * asked for a certain file must not silently get another.
 */
export function locateAddon({ override, packageRoot, platform }: LookupEnvironment): AddonLocation {
  if (override === 'off') return { found: false, reason: 'disabled by LAYER_STORE_NATIVE=off' };
  if (override !== undefined && override !== '') {
    if (existsSync(override)) return { found: true, path: override };
    return { found: false, reason: `LAYER_STORE_NATIVE names ${override}, which does not exist` };
  }
  const prebuilds = join(packageRoot, 'prebuilds', platform);
  const prebuilt = existsSync(prebuilds)
    ? readdirSync(prebuilds)
        .sort()
        .find((name) => name.endsWith('.node'))
    : undefined;
  if (prebuilt !== undefined) return { found: true, path: join(prebuilds, prebuilt) };
  const built = join(packageRoot, 'build', 'Release', ADDON_NAME);
  if (existsSync(built)) return { found: true, path: built };
  return {
    found: false,
    reason: `no addon for ${platform} in ${prebuilds} or ${built}; install a C++17 compiler and make, then run: npx build-native`,
  };
}
