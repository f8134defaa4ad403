/**
 * Bytes of the device mapper's ioctls (linux/dm-ioctl.h; spec/drivers.md 2.26): `struct dm_ioctl` of 312 bytes, then a payload.
 * Little-endian hosts only. Nothing here does I/O.
 */
import type { DeviceNumber } from './device-mapper.js';

/** Request numbers. */
export const DM = {
  version: 0xc138fd00,
  removeAll: 0xc138fd01,
  listDevices: 0xc138fd02,
  create: 0xc138fd03,
  remove: 0xc138fd04,
  rename: 0xc138fd05,
  suspend: 0xc138fd06,
  status: 0xc138fd07,
  wait: 0xc138fd08,
  tableLoad: 0xc138fd09,
  tableClear: 0xc138fd0a,
  tableDeps: 0xc138fd0b,
  tableStatus: 0xc138fd0c,
  listVersions: 0xc138fd0d,
  targetMessage: 0xc138fd0e,
  setGeometry: 0xc138fd0f,
} as const;

/** Flags of the header. */
export const DM_FLAG = {
  readOnly: 0x1,
  suspend: 0x2,
  statusTable: 0x10,
  activePresent: 0x20,
  inactivePresent: 0x40,
  bufferFull: 0x100,
  skipLockFs: 0x400,
  noFlush: 0x800,
  dataOut: 0x10000,
  deferredRemove: 0x20000,
  internalSuspend: 0x40000,
} as const;

/** Bytes of `struct dm_ioctl`; the payload follows. */
export const DM_HEADER_SIZE = 312;
/** Longest name and uuid, without the NUL. */
export const DM_NAME_MAX = 127;
export const DM_UUID_MAX = 128;

/** Byte offsets in `struct dm_ioctl`. */
const AT = {
  version: 0,
  dataSize: 12,
  dataStart: 16,
  targetCount: 20,
  openCount: 24,
  flags: 28,
  eventNumber: 32,
  device: 40,
  name: 48,
  uuid: 176,
  end: 305,
} as const;

/** The interface version asked for: the first there is, which every kernel answers (2.26). */
const INTERFACE_VERSION = [4, 0, 0] as const;

/** What goes into a request; what is left out is 0 or empty. */
export interface DmRequest {
  readonly name?: string;
  readonly uuid?: string;
  readonly flags?: number;
  readonly eventNumber?: number;
  readonly targetCount?: number;
  readonly payload?: Uint8Array;
  /** Bytes of room for the reply's payload. */
  readonly room?: number;
}

/** The header of a reply. */
export interface DmHeader {
  readonly version: readonly [number, number, number];
  readonly dataSize: number;
  readonly dataStart: number;
  readonly targetCount: number;
  readonly openCount: number;
  readonly flags: number;
  readonly eventNumber: number;
  readonly device: DeviceNumber;
  readonly name: string;
  readonly uuid: string;
}

/** Header and payload of a request, as long as the larger of payload and room. */
export function encodeRequest(request: DmRequest): Buffer {
  const { name = '', uuid = '', payload = new Uint8Array(0), room = 0 } = request;
  const bytes = Buffer.alloc(DM_HEADER_SIZE + Math.max(payload.length, room));
  INTERFACE_VERSION.forEach((part, index) => {
    bytes.writeUInt32LE(part, AT.version + 4 * index);
  });
  bytes.writeUInt32LE(bytes.length, AT.dataSize);
  bytes.writeUInt32LE(DM_HEADER_SIZE, AT.dataStart);
  bytes.writeUInt32LE(request.targetCount ?? 0, AT.targetCount);
  bytes.writeUInt32LE(request.flags ?? 0, AT.flags);
  bytes.writeUInt32LE(request.eventNumber ?? 0, AT.eventNumber);
  // One byte less than the field: it ends with a NUL.
  bytes.write(name, AT.name, DM_NAME_MAX, 'utf8');
  bytes.write(uuid, AT.uuid, DM_UUID_MAX, 'utf8');
  bytes.set(payload, DM_HEADER_SIZE);
  return bytes;
}

/** The header of a reply. */
export function decodeHeader(reply: Buffer): DmHeader {
  return {
    version: [reply.readUInt32LE(0), reply.readUInt32LE(4), reply.readUInt32LE(8)],
    dataSize: reply.readUInt32LE(AT.dataSize),
    dataStart: reply.readUInt32LE(AT.dataStart),
    targetCount: reply.readUInt32LE(AT.targetCount),
    openCount: reply.readInt32LE(AT.openCount),
    flags: reply.readUInt32LE(AT.flags),
    eventNumber: reply.readUInt32LE(AT.eventNumber),
    device: decodeDeviceNumber(reply.readBigUInt64LE(AT.device)),
    name: text(reply.subarray(AT.name, AT.uuid)),
    uuid: text(reply.subarray(AT.uuid, AT.end)),
  };
}

/** What follows the header of a reply. */
export function payloadOf(reply: Buffer): Buffer {
  const { dataStart } = decodeHeader(reply);
  return reply.subarray(Math.min(dataStart, reply.length));
}

/** The kernel's encoding of a device number (`new_encode_dev`): not that of glibc for large numbers. */
export function decodeDeviceNumber(encoded: bigint): DeviceNumber {
  const low = Number(encoded & 0xffffffffn);
  return { major: (low >>> 8) & 0xfff, minor: (low & 0xff) | ((low >>> 12) & 0xfff00) };
}

/** Text up to the first NUL. */
export function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString('utf8');
}
