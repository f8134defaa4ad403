import type { CacheId, ChainId, DiffId, MountId } from '../ids.js';

/** A JSON value, as it is stored. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** OCI descriptor of the blob a layer came from (OCI image-spec descriptor.md); stored and given back as it is. */
export interface LayerDescriptor {
  readonly mediaType?: string;
  readonly size?: number;
  readonly digest: string;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [key: string]: Json | undefined;
}

/** A layer that is complete on disk. */
export interface LayerRecord {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  readonly parent?: ChainId;
  readonly cacheId: CacheId;
  /** Bytes of its regular files, each payload once. */
  readonly size: number;
  /** Sum of the sizes in its tar headers, which is what Docker shows. */
  readonly archiveSize: number;
  readonly descriptor?: LayerDescriptor;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A read-write layer that is complete on disk. */
export interface MountRecord {
  readonly name: string;
  readonly mountId: MountId;
  /** `mountId` + `-init`, when an init callback was given. */
  readonly initId?: string;
  readonly parent?: ChainId;
  readonly mountLabel?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Written before the driver is touched: if it is still there at open, the operation died and its ids are removed. */
export interface IntentRecord {
  readonly id: string;
  readonly kind: 'layer' | 'mount';
  /** Driver ids the operation may have made, in the order they are to be removed. */
  readonly driverIds: readonly string[];
}

/** What is left to delete of something that is logically gone. */
export interface RemovalRecord {
  readonly id: string;
  readonly kind: 'layer' | 'mount';
  /** In the order they are to be removed. */
  readonly driverIds: readonly string[];
  /** Layers: whose tar-split file goes too. */
  readonly tarSplit?: CacheId;
}

/** A stored record that cannot be used, and why. It is reported, never hidden. */
export interface UnreadableRecord {
  readonly kind: 'layer' | 'mount' | 'intent' | 'removal';
  /** ChainID, mount name or id: the stored key without its prefix. */
  readonly key: string;
  readonly problem: string;
  /** Driver ids that could be made out, so that the data does not leak when the record is discarded. */
  readonly driverIds: readonly string[];
}

/** Everything a metadata store holds. */
export interface MetadataContents {
  readonly schema: number;
  /** Random id given to the store when it was made. */
  readonly storeId: string;
  /** Counts transactions. */
  readonly generation: number;
  readonly layers: readonly LayerRecord[];
  readonly mounts: readonly MountRecord[];
  readonly intents: readonly IntentRecord[];
  readonly removals: readonly RemovalRecord[];
  readonly unreadable: readonly UnreadableRecord[];
}
