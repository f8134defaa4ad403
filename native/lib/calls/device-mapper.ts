/**
 * The device-mapper control device, `/dev/mapper/control` (linux/dm-ioctl.h; spec/drivers.md 2.26). Requests and replies are bytes; who calls
 * lays them out.
 */
export interface DeviceMapperCalls {
  /**
   * One request, `command` 0xc138fd00 and up. `request` is `struct dm_ioctl` (312 bytes) and payload; its length is the room for the
   * reply and is written into `data_size` (the bytes given are not changed). While the kernel answers DM_BUFFER_FULL_FLAG the room is doubled and the
   * request made again, up to 64 MiB (ENOBUFS). The reply is cut to what the kernel filled, never below the header.
   *
   * The promise form runs on a thread of its own: suspending, removing and waiting may block for long, and on calls in the libuv pool.
   *
   * Fails with the kernel's number and `ioctl(DM_DEV_CREATE)` or the like as `syscall`: ENXIO no such device, EBUSY name or
   * device in use, EEXIST thin id taken, ENODATA thin id unknown, EINVAL table refused.
   */
  dmIoctlSync(fd: number, command: number, request: Uint8Array): Buffer;
}
