/** Blocks of a pool: of data blocks, or of metadata blocks of 4096 bytes. */
export interface BlockUsage {
  readonly used: number;
  readonly total: number;
}

/** What a pool does with I/O: `ro` after metadata ran out or broke, `out_of_data_space` until something is deleted. */
export type PoolMode = 'rw' | 'ro' | 'out_of_data_space';

/** A pool that answers. */
export interface ActivePoolStatus {
  readonly state: 'active';
  readonly transactionId: number;
  /** Blocks of {@link METADATA_BLOCK_SIZE} bytes. */
  readonly metadata: BlockUsage;
  /** Blocks of the pool's block size. */
  readonly data: BlockUsage;
  /** Block of a metadata snapshot that is held; undefined: none is. */
  readonly heldMetadataRoot: number | undefined;
  readonly mode: PoolMode;
  readonly discards: 'passdown' | 'no-passdown' | 'ignore';
  /** What happens to writes that find no free block: wait, or fail. */
  readonly whenFull: 'queue' | 'error';
  /** The metadata must be checked with thin_check before the next activation. */
  readonly needsCheck: boolean;
  /** Metadata low-water mark in blocks; older kernels do not say. */
  readonly metadataLowWater: number | undefined;
}

/** Status of a thin pool (spec/drivers.md 2.7). `Fail`: it does no I/O any more. `Error`: the kernel could not say. */
export type PoolStatus = ActivePoolStatus | { readonly state: 'Fail' } | { readonly state: 'Error' };

/** Bytes of a block of pool metadata. */
export const METADATA_BLOCK_SIZE = 4096;
