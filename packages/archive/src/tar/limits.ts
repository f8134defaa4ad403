/** Bounds on what a {@link TarReader} accepts from an untrusted archive. */
import { LayerStoreError } from '../errors.js';

export interface TarLimits {
  /** Bytes of one pax or GNU long name body, or of one sparse map. Default 1 MiB, as Docker's readers have it. */
  readonly maxExtendedHeader?: number;
  /** Visible entries. Default: none. */
  readonly maxEntries?: number;
  /** Bytes of one sparse file when expanded. Default: none (2^53 - 1). */
  readonly maxLogicalSize?: number;
}

/** CVE-2022-2879: extended headers without a limit take all memory. */
const DEFAULT_MAX_EXTENDED_HEADER = 1024 * 1024;

const DEFAULTS: Required<TarLimits> = {
  maxExtendedHeader: DEFAULT_MAX_EXTENDED_HEADER,
  maxEntries: Number.POSITIVE_INFINITY,
  maxLogicalSize: Number.MAX_SAFE_INTEGER,
};

/** Fills in the defaults. @throws OPTION_UNKNOWN, OPTION_INVALID */
export function resolveTarLimits(limits: TarLimits): Required<TarLimits> {
  const resolved = { ...DEFAULTS };
  for (const [option, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULTS, option)) {
      throw new LayerStoreError('OPTION_UNKNOWN', `tar limit "${option}" is not known; check its spelling`, {
        option,
      });
    }
    if (value === undefined) continue;
    if (typeof value !== 'number' || Number.isNaN(value) || value < 0) {
      throw new LayerStoreError(
        'OPTION_INVALID',
        `tar limit "${option}" must be a number of at least 0, not ${typeof value === 'number' ? value : typeof value}`,
        { option },
      );
    }
    resolved[option as keyof TarLimits] = value;
  }
  return Object.freeze(resolved);
}
