import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertPath,
  assertString,
  type IdMap,
  invalidOption,
  parseSize,
} from '@x/archive';
import type { OverlayShortfall } from './shortfall.js';

/** The name a driver goes by, and its directory's name in a store. */
export type OverlayName = 'overlay2' | 'overlay' | 'fuse-overlayfs';

/** Options of {@link OverlayDriver}. */
export interface OverlayDriverOptions {
  /** Absolute directory of the driver, made on open. */
  readonly home: string;
  /**
   * `multi-lower`: one directory per layer, the mount stacks them all (Docker's overlay2). `hardlink`: images are full trees
   * that share files with their parent by hard links, a mount has one lower (Docker's overlay). Default `multi-lower`.
   */
  readonly layout?: 'multi-lower' | 'hardlink';
  /** How ids in archives map to ids on disk. */
  readonly idMap?: IdMap;
  /**
   * How overlay is mounted: `fsopen` (kernel 6.7, up to 500 layers), `mount` (mount(2): the options fit a page), or the first
   * of them that works. Default `auto`.
   */
  readonly mountInterface?: 'auto' | 'fsopen' | 'mount';
  /**
   * A program that mounts instead of the kernel, as fuse-overlayfs does: a name to be found in the system's directories, or
   * an absolute path. Called as `PROGRAM -f -o OPTIONS DIRECTORY`. Multi-lower only.
   */
  readonly mountProgram?: string;
  /** Further mount options, separated by commas, for every mount. The driver's own (`lowerdir`, `index`…) are refused. */
  readonly mountOptions?: string;
  /** Limit of every read-write layer, in bytes or as text (`10G`). Takes project quotas: DRIVER_QUOTA_NOT_SUPPORTED. */
  readonly size?: number | string;
  /** As `size`, for the number of inodes. */
  readonly inodes?: number;
  /**
   * Go on where the kernel refuses an owner, a device or an attribute: record owners beside the files, report the rest.
   * Default: whether the process can give files to any user (CAP_CHOWN over all ids).
   */
  readonly rootless?: boolean;
  /** Told about every layer that could not be unpacked exactly as its headers say. */
  readonly onShortfall?: (shortfall: OverlayShortfall) => void;
}

/** Options with their defaults, checked; frozen. `rootless` stays undefined when the process decides. */
export interface ResolvedOverlayOptions {
  readonly name: OverlayName;
  readonly home: string;
  readonly layout: 'multi-lower' | 'hardlink';
  readonly idMap: IdMap | undefined;
  readonly mountInterface: 'auto' | 'fsopen' | 'mount';
  readonly mountProgram: string | undefined;
  readonly mountOptions: readonly string[];
  /** Bytes. */
  readonly size: number | undefined;
  readonly inodes: number | undefined;
  readonly rootless: boolean | undefined;
  readonly onShortfall: ((shortfall: OverlayShortfall) => void) | undefined;
}

const WHERE = 'OverlayDriver';
const KEYS: readonly string[] = [
  'home',
  'layout',
  'idMap',
  'mountInterface',
  'mountProgram',
  'mountOptions',
  'size',
  'inodes',
  'rootless',
  'onShortfall',
];

/** What the driver decides itself; in `mountOptions` they would make layers that another mount shows differently. */
const OWN_MOUNT_OPTIONS: ReadonlySet<string> = new Set([
  'lowerdir',
  'lowerdir+',
  'datadir+',
  'upperdir',
  'workdir',
  'index',
  'userxattr',
  'redirect_dir',
  'metacopy',
  'nfs_export',
  'verity',
  'uuid',
]);

/** Checks all of it at once. Fails with OPTION_UNKNOWN, OPTION_INVALID. */
export function resolveOverlayOptions(options: OverlayDriverOptions): ResolvedOverlayOptions {
  assertKnownKeys(WHERE, options, KEYS);
  const { home, layout = 'multi-lower', mountInterface = 'auto', idMap, mountProgram } = options;
  assertPath(WHERE, 'home', home);
  if (!home.startsWith('/')) invalidOption(WHERE, 'home', 'an absolute path', home);
  assertOneOf(WHERE, 'layout', layout, ['multi-lower', 'hardlink']);
  assertOneOf(WHERE, 'mountInterface', mountInterface, ['auto', 'fsopen', 'mount']);
  if (idMap !== undefined && !isIdMap(idMap)) invalidOption(WHERE, 'idMap', 'an IdMap', idMap);
  if (mountProgram !== undefined) checkProgram(mountProgram, layout);
  if (options.rootless !== undefined) assertBoolean(WHERE, 'rootless', options.rootless);
  if (options.onShortfall !== undefined) assertFunction(WHERE, 'onShortfall', options.onShortfall);
  if (options.inodes !== undefined) assertInteger(WHERE, 'inodes', options.inodes, 1);
  return Object.freeze({
    name: mountProgram !== undefined ? 'fuse-overlayfs' : layout === 'hardlink' ? 'overlay' : 'overlay2',
    home,
    layout,
    idMap,
    mountInterface,
    mountProgram,
    mountOptions: checkMountOptions(options.mountOptions),
    size: options.size === undefined ? undefined : parseQuota('size', options.size),
    inodes: options.inodes,
    rootless: options.rootless,
    onShortfall: options.onShortfall,
  });
}

/** A limit in bytes: a positive integer, or text as `parseSize` reads it. Fails with OPTION_INVALID. */
export function parseQuota(option: string, value: unknown): number {
  const bytes = typeof value === 'string' ? parseSize(value) : value;
  assertInteger(WHERE, option, bytes, 1);
  return bytes;
}

function checkProgram(program: string, layout: string): void {
  assertPath(WHERE, 'mountProgram', program);
  if (program.includes('/') && !program.startsWith('/')) {
    invalidOption(WHERE, 'mountProgram', "a program's name or its absolute path", program);
  }
  if (layout !== 'multi-lower') {
    invalidOption(WHERE, 'layout', '"multi-lower" where a mountProgram is given', layout);
  }
}

function checkMountOptions(text: string | undefined): readonly string[] {
  if (text === undefined) return Object.freeze([]);
  assertString(WHERE, 'mountOptions', text, true);
  const options = text.split(',').filter((option) => option !== '');
  for (const option of options) {
    const [key = ''] = option.split('=');
    if (OWN_MOUNT_OPTIONS.has(key.trim()) || /[\0\n]/.test(option)) {
      invalidOption(WHERE, 'mountOptions', `free of "${key}", which is the driver's own`, text);
    }
  }
  return Object.freeze(options);
}

/** By shape: two copies of the package may be loaded. */
function isIdMap(value: unknown): value is IdMap {
  return typeof value === 'object' && value !== null && 'toHost' in value && 'rootPair' in value;
}
