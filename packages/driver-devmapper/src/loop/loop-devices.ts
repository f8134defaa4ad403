/** A loop device that this process attached and holds open. It detaches by itself when its last opener closes. */
export interface AttachedLoop extends AsyncDisposable {
  /** `/dev/loop7` */
  readonly path: string;
  /** Gives up our descriptor: the loop lives on as long as a pool has it open. */
  close(): Promise<void>;
}

/** What {@link LoopDevices.ensureImage} found or did. */
export interface LoopImage {
  readonly path: string;
  readonly outcome: 'created' | 'grown' | 'unchanged' | 'larger-than-asked';
  /** Bytes. */
  readonly size: number;
}

/** Loop devices and the sparse files below them (spec/drivers.md 2.6). */
export interface LoopDevices {
  /** Makes the file, or grows it; a larger one stays as it is. */
  ensureImage(path: string, size: number): Promise<LoopImage>;
  /** Attaches the file to a free loop device, with autoclear. Reason `AttachLoopbackDevice` when none is to be had. */
  attach(path: string): Promise<AttachedLoop>;
  /** `/dev/loopN` that the file is attached to, if it is. */
  find(path: string): Promise<string | undefined>;
  /** Makes an attached loop device take the size its file has now. Reason `LoopbackSetCapacity`. */
  updateCapacity(loopDevice: string): Promise<void>;
}
