import {
  assertFunction,
  assertInteger,
  assertKnownKeys,
  assertPath,
  assertString,
  type IdMap,
  invalidOption,
} from '@x/archive';
import type { AufsKernel } from './kernel/aufs-kernel.js';
import { LinuxAufsKernel } from './kernel/linux-aufs-kernel.js';
import { assertExpressible } from './mount/branch.js';
import { DEFAULT_MAX_OPTIONS, LARGEST_MAX_OPTIONS, SMALLEST_MAX_OPTIONS } from './mount/call-limits.js';
import type { OnAufsWarning } from './warning.js';

/** Options of the aufs driver. */
export interface AufsDriverOptions {
  /** Absolute directory of the driver, made on open, which refuses one with `:`, `,` or `=` in it. */
  readonly home: string;
  /** How ids in archives map to ids on disk. */
  readonly idMap?: IdMap;
  /**
   * Beginning of the names of aufs's inode number files, one a mount, on a file system that is neither aufs nor read-only.
   * All processes that mount aufs should have the same. Default `/dev/shm/aufs.xino`, `<home>/.aufs.xino` without shared memory.
   */
  readonly xino?: string;
  /** Further options of the first mount call, comma separated: `udba=none,noplink`. */
  readonly mountOptions?: string;
  /** Most options in one mount call, a branch counting as one, 8 to 80. Default 64; the kernel fails above 84. */
  readonly maxMountOptions?: number;
  /** Told about what did not stop the driver. */
  readonly onWarning?: OnAufsWarning;
  /** What mounts. Default: the kernel, by way of the addon. */
  readonly kernel?: AufsKernel;
}

/** Checked, with defaults. */
export interface ResolvedAufsOptions {
  readonly home: string;
  readonly idMap: IdMap | undefined;
  readonly xino: string | undefined;
  readonly mountOptions: readonly string[];
  readonly maxMountOptions: number;
  readonly onWarning: OnAufsWarning;
  readonly kernel: AufsKernel;
}

const WHERE = 'AufsDriver';
const KEYS = ['home', 'idMap', 'xino', 'mountOptions', 'maxMountOptions', 'onWarning', 'kernel'];
/** What the driver decides itself, and what would change its branches. */
const OWN_OPTIONS =
  /^(?:br|dirs|add|ins|append|prepend|del|mod|imod|remount|xino|noxino|dio|nodio|dirperm1|nodirperm1|(?:fs|def|root)?context)(?:[:=]|$)/;
/** So many leave room for branches; aufs has not many more that make sense. */
const MOST_EXTRA_OPTIONS = 3;

/** Fails with OPTION_UNKNOWN and OPTION_INVALID. */
export function checkAufsOptions(options: AufsDriverOptions): ResolvedAufsOptions {
  assertKnownKeys(WHERE, options, KEYS);
  const { home, idMap, xino, maxMountOptions = DEFAULT_MAX_OPTIONS, onWarning, kernel } = options;
  assertPath(WHERE, 'home', home);
  if (xino !== undefined) {
    assertPath(WHERE, 'xino', xino);
    if (!xino.startsWith('/')) invalidOption(WHERE, 'xino', 'an absolute path', xino);
    assertExpressible('xino', xino);
  }
  assertInteger(WHERE, 'maxMountOptions', maxMountOptions, SMALLEST_MAX_OPTIONS, LARGEST_MAX_OPTIONS);
  if (onWarning !== undefined) assertFunction(WHERE, 'onWarning', onWarning);
  return Object.freeze({
    home,
    idMap,
    xino,
    mountOptions: checkMountOptions(options.mountOptions),
    maxMountOptions,
    onWarning: onWarning ?? ((): void => {}),
    kernel: kernel ?? new LinuxAufsKernel(),
  });
}

function checkMountOptions(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  assertString(WHERE, 'mountOptions', text, true);
  const options = text.split(',').filter((option) => option !== '');
  if (options.length > MOST_EXTRA_OPTIONS) {
    invalidOption(WHERE, 'mountOptions', `at most ${MOST_EXTRA_OPTIONS} options`, text);
  }
  for (const option of options) {
    if (OWN_OPTIONS.test(option) || /[\s"\0]/.test(option)) {
      invalidOption(
        WHERE,
        'mountOptions',
        `free of ${JSON.stringify(option)}, which is the driver's own`,
        text,
      );
    }
  }
  return Object.freeze(options);
}
