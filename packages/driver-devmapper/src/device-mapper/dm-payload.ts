/** Payloads of the device mapper's ioctls (spec/drivers.md 2.26). Nothing here does I/O. */
import type { DeviceNumber, DeviceTarget, ListedDevice, TargetVersion } from './device-mapper.js';
import { decodeDeviceNumber, decodeHeader, payloadOf, text } from './dm-ioctl.js';

/** Bytes of `struct dm_target_spec`; the params follow, then padding to 8. */
const SPEC_SIZE = 40;
const SPEC = { start: 0, length: 8, status: 16, next: 20, type: 24 } as const;
/** Longest type, without the NUL. */
export const TARGET_TYPE_MAX = 15;

/** A table for DM_TABLE_LOAD. `next` counts from its own spec, unlike in a reply. */
export function encodeTargets(targets: readonly DeviceTarget[]): Buffer {
  return Buffer.concat(
    targets.map(({ start, length, type, params }) => {
      const paramBytes = Buffer.from(params, 'utf8');
      const size = SPEC_SIZE + align(paramBytes.length + 1);
      const bytes = Buffer.alloc(size);
      bytes.writeBigUInt64LE(BigInt(start), SPEC.start);
      bytes.writeBigUInt64LE(BigInt(length), SPEC.length);
      bytes.writeUInt32LE(size, SPEC.next);
      bytes.write(type, SPEC.type, TARGET_TYPE_MAX, 'latin1');
      paramBytes.copy(bytes, SPEC_SIZE);
      return bytes;
    }),
  );
}

/** The targets of a DM_TABLE_STATUS reply. `next` counts from the first spec. */
export function decodeTargets(reply: Buffer): DeviceTarget[] {
  const payload = payloadOf(reply);
  const targets: DeviceTarget[] = [];
  let at = 0;
  for (
    let count = decodeHeader(reply).targetCount;
    count > 0 && at + SPEC_SIZE <= payload.length;
    count -= 1
  ) {
    targets.push({
      start: Number(payload.readBigUInt64LE(at + SPEC.start)),
      length: Number(payload.readBigUInt64LE(at + SPEC.length)),
      type: text(payload.subarray(at + SPEC.type, at + SPEC_SIZE)),
      params: text(payload.subarray(at + SPEC_SIZE)),
    });
    at = payload.readUInt32LE(at + SPEC.next);
  }
  return targets;
}

/** `struct dm_target_msg`: the sector, then the text. */
export function encodeMessage(message: string, sector: number): Buffer {
  const bytes = Buffer.alloc(align(8 + Buffer.byteLength(message) + 1));
  bytes.writeBigUInt64LE(BigInt(sector), 0);
  bytes.write(message, 8, 'utf8');
  return bytes;
}

/** Text and its NUL: the new name of DM_DEV_RENAME, the geometry of DM_DEV_SET_GEOMETRY. */
export function encodeText(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf8');
}

/** `struct dm_target_deps`: a count, padding, device numbers. */
export function decodeDeps(reply: Buffer): DeviceNumber[] {
  const payload = payloadOf(reply);
  if (payload.length < 8) return [];
  const count = Math.min(payload.readUInt32LE(0), Math.floor((payload.length - 8) / 8));
  return Array.from({ length: count }, (_, index) =>
    decodeDeviceNumber(payload.readBigUInt64LE(8 + 8 * index)),
  );
}

/** `struct dm_name_list`, one after the other; `next` counts from its own entry. No device: one entry of device 0. */
export function decodeDeviceList(reply: Buffer): ListedDevice[] {
  return chain(payloadOf(reply), 8, 12)
    .map((entry) => ({
      name: text(entry.subarray(12)),
      ...decodeDeviceNumber(entry.readBigUInt64LE(0)),
    }))
    .filter(({ name }) => name !== '');
}

/** `struct dm_target_versions`, one after the other. */
export function decodeTargetVersions(reply: Buffer): TargetVersion[] {
  return chain(payloadOf(reply), 0, 16).map((entry) => ({
    type: text(entry.subarray(16)),
    major: entry.readUInt32LE(4),
    minor: entry.readUInt32LE(8),
    patch: entry.readUInt32LE(12),
  }));
}

/** Entries linked by a relative offset at `nextAt`; 0 is the last. */
function chain(payload: Buffer, nextAt: number, minimum: number): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at + minimum <= payload.length; ) {
    const entry = payload.subarray(at);
    entries.push(entry);
    const next = entry.readUInt32LE(nextAt);
    if (next === 0) break;
    at += next;
  }
  return entries;
}

function align(length: number): number {
  return (length + 7) & ~7;
}
