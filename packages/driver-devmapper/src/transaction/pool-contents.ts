/** The pool's transaction id when a device was made; `absent`: there is no such device; undefined: it cannot be found out. */
export type DeviceStamp = number | 'absent' | undefined;

/** What the pool's metadata says, read from outside the kernel. One implementation runs thin_dump, tests have their own. */
export interface PoolContents {
  /** The stamp that dm-thin gave a device. */
  stampOf(deviceId: number): Promise<DeviceStamp>;
  /** Every device of the pool; undefined: it cannot be found out. */
  deviceIds(): Promise<readonly number[] | undefined>;
}
