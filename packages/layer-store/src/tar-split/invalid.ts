import { LayerStoreError } from '@x/archive';

/** TAR_SPLIT_INVALID, whose message ends in `why`. */
export function invalid(why: string, cause?: unknown): LayerStoreError {
  return new LayerStoreError('TAR_SPLIT_INVALID', `the tar-split record is damaged: ${why}`, { cause });
}
