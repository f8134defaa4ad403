import type { Change } from '@x/archive';
import type {
  CreateKind,
  CreateOptions,
  DiffStream,
  DriverCapabilities,
  DriverId,
  DriverUsage,
  FileSource,
  LayerSource,
  UnpackOptions,
  UnpackResult,
} from '@x/layer-store';
import type { OverlayMounter } from './mount/overlay-mounter.js';
import type { ResolvedOverlayOptions } from './options.js';
import type { OverlayFacts } from './probe/overlay-facts.js';

/** Sets limits on directories. There is one only where the file system has project quotas. */
export interface QuotaControl {
  /** Limits everything that will be below `directory`, which is empty: bytes and inodes. */
  set(directory: string, quota: { readonly size?: number; readonly inodes?: number }): Promise<void>;
  /** Takes the limit away before the directory is deleted. A directory without one is fine. */
  clear(directory: string): Promise<void>;
}

/** What a layout works with. */
export interface LayoutContext {
  readonly options: ResolvedOverlayOptions;
  readonly mounter: OverlayMounter;
  /** Looks at the home, which is there and not empty by now, and tells the mounter what it has to know. */
  learn(): Promise<OverlayFacts>;
  /** Undefined: storage options `size` and `inodes` are refused before the layout is asked. */
  readonly quota: QuotaControl | undefined;
  /** What unpacking must do besides: without privilege owners are recorded and refusals reported. */
  readonly unpackOptions: Pick<UnpackOptions, 'ownership' | 'xattrs' | 'devices' | 'recordOwners'>;
}

/** A layer to be made. `id` does not exist, `parent` does. */
export interface CreateRequest {
  readonly id: DriverId;
  readonly parent: DriverId | undefined;
  readonly kind: CreateKind;
  readonly options: CreateOptions;
  readonly signal: AbortSignal | undefined;
}

/**
 * How layers lie in the home of an overlay driver, and how a layer becomes a directory. The rules of the driver contract
 * hold: ids are clean, calls for one id do not overlap where the contract says so.
 */
export interface OverlayLayout {
  readonly capabilities: DriverCapabilities;
  /** Makes the home ready and finishes what a dead process began. Twice is the same as once. */
  open(): Promise<void>;
  close(): Promise<void>;
  create(request: CreateRequest): Promise<void>;
  /** Also of a layer that does not exist or only in parts; unmounts it first (DRIVER_BUSY). */
  remove(id: DriverId): Promise<void>;
  get(id: DriverId, mountLabel: string | undefined): Promise<string>;
  put(id: DriverId): Promise<void>;
  exists(id: DriverId): Promise<boolean>;
  list(): Promise<DriverId[]>;
  isMounted(id: DriverId): Promise<boolean>;
  /** Ids of this home that are mounted now, by whomever. */
  mounted(): Promise<DriverId[]>;
  status(): Promise<readonly (readonly [string, string])[]>;
  metadata(id: DriverId): Promise<Readonly<Record<string, string>>>;
  /** Undefined, before `layer` was touched: unpack onto the mounted view. */
  applyDiff(
    id: DriverId,
    parent: DriverId | undefined,
    layer: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<UnpackResult | undefined>;
  /** Undefined, as for the three below: compare the mounted trees. */
  diff(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | DiffStream | undefined>;
  changes(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Change[] | undefined>;
  diffSize(
    id: DriverId,
    parent: DriverId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined>;
  /** Undefined: the mounted view. */
  fileSource(id: DriverId): Promise<FileSource | undefined>;
  /** Undefined: the mounted view is what the layer takes. */
  usage(id: DriverId): Promise<DriverUsage | undefined>;
  /** Unmounts everything below the home that this driver could have mounted. */
  cleanup(): Promise<void>;
  /** Names in the home that are the layout's own. */
  isReserved(id: string): boolean;
}
