import type { MountEntry } from '@x/layer-store/driver-kit';

/** A merged view to be made. Names are relative to `home` and have no `..`. */
export interface OverlayMountRequest {
  readonly home: string;
  /** An empty directory. */
  readonly target: string;
  /** Nearest first, at least one. */
  readonly lowers: readonly string[];
  /** Undefined: a read-only view. Both or neither. */
  readonly upper: string | undefined;
  readonly work: string | undefined;
  /** SELinux context. */
  readonly label: string | undefined;
}

/** Makes merged views appear and go: the kernel's overlay, or a program that does the same over FUSE. */
export interface OverlayMounter {
  /**
   * How deletions stand in a layer's directory that is filled beside the mount: as the kernel's own marks, or as files with
   * `.wh.` names, which take no privilege.
   */
  readonly whiteouts: 'overlay' | 'aufs';
  /** Why views cannot be made at a home, for lack of a way to write its name; undefined: they can. */
  refusal(home: string): string | undefined;
  /** Most layers that one view can be made of, its own included. */
  readonly maxLayers: number;
  /**
   * Fails with a coded error and leaves nothing: DRIVER_FAILED with the kernel's or the program's words,
   * LAYER_MAX_DEPTH when the layers do not fit one mount, NATIVE_UNAVAILABLE.
   */
  mount(request: OverlayMountRequest): Promise<void>;
  /** Takes the view away at once though files in it are open. A target that is no mount point is fine. */
  unmount(target: string): Promise<void>;
  /** As `unmount`, but DRIVER_BUSY while somebody works in it. */
  unmountIdle(target: string): Promise<void>;
  /**
   * Lets nobody write to a view from now on, or lets them again. DRIVER_BUSY while a file in it is open for writing. A program
   * cannot be told.
   */
  setReadOnly(target: string, readOnly: boolean): Promise<void>;
  /** Whether an entry of the mount table can be one of this mounter's. */
  recognizes(entry: MountEntry): boolean;
}
