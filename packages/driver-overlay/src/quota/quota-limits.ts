import { assertInteger, LayerStoreError, parseSize } from '@x/archive';

/** What a read-write layer may come to; what is missing has no limit. */
export interface QuotaLimits {
  /** Bytes. */
  readonly size?: number;
  readonly inodes?: number;
}

const WHERE = 'storageOpt';

/**
 * Limits of one layer: its own storage options (`size` as text such as `10G`, `inodes` as a number), else the driver's
 * defaults; `0` is no limit. Undefined: none at all. Fails with OPTION_INVALID; other keys with OPTION_UNKNOWN.
 */
export function quotaLimits(
  storageOpt: Readonly<Record<string, string>> | undefined,
  defaults: { readonly size: number | undefined; readonly inodes: number | undefined },
): QuotaLimits | undefined {
  const { size, inodes, ...unknown } = storageOpt ?? {};
  const [option] = Object.keys(unknown);
  if (option !== undefined) {
    throw new LayerStoreError('OPTION_UNKNOWN', `overlay layers have no storage option '${option}'`, {
      option,
    });
  }
  const bytes = size === undefined ? defaults.size : parseSize(size);
  const count = inodes === undefined ? defaults.inodes : parseCount(inodes);
  const limits: QuotaLimits = {
    ...(bytes === undefined || bytes === 0 ? {} : { size: bytes }),
    ...(count === undefined || count === 0 ? {} : { inodes: count }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  assertInteger(WHERE, 'inodes', count, 0);
  return count;
}
