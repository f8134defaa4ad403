import { closeSync, fsync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeAddon, failureOf, rejectionOf } from '../addon.test-support.js';

// linux/dm-ioctl.h
const HEADER = 312;
const VERSION = 0xc138fd00;
const LIST_DEVICES = 0xc138fd02;
const DEV_CREATE = 0xc138fd03;
const DEV_REMOVE = 0xc138fd04;
const DEV_SUSPEND = 0xc138fd06;
const DEV_STATUS = 0xc138fd07;
const TABLE_LOAD = 0xc138fd09;
const TABLE_STATUS = 0xc138fd0c;
const LIST_VERSIONS = 0xc138fd0d;
const SUSPEND = 0x2;
const STATUS_TABLE = 0x10;

/** A request of `room` bytes about the device called `name`. */
function request(name: string, options: { room?: number; flags?: number; targets?: number } = {}): Buffer {
  const bytes = Buffer.alloc(options.room ?? HEADER);
  bytes.writeUInt32LE(4, 0);
  bytes.writeUInt32LE(bytes.length, 12);
  bytes.writeUInt32LE(HEADER, 16);
  bytes.writeUInt32LE(options.targets ?? 0, 20);
  bytes.writeUInt32LE(options.flags ?? 0, 28);
  bytes.write(name, 48, 'latin1');
  return bytes;
}

/** A table of one target from sector 0. */
function table(name: string, sectors: number, type: string, parameters: string): Buffer {
  const bytes = request(name, { room: HEADER + 40 + ((parameters.length + 8) & ~7), targets: 1 });
  bytes.writeBigUInt64LE(BigInt(sectors), HEADER + 8);
  bytes.writeUInt32LE(bytes.length - HEADER, HEADER + 20);
  bytes.write(type, HEADER + 24, 'latin1');
  bytes.write(parameters, HEADER + 40, 'latin1');
  return bytes;
}

const textAt = (bytes: Buffer, offset: number): string =>
  bytes.subarray(offset, bytes.indexOf(0, offset)).toString('latin1');

describeAddon('the device mapper, through its own kernel', (calls) => {
  let control: number;
  const made: string[] = [];
  beforeEach(() => {
    control = openSync('/dev/mapper/control', 'r+');
  });
  afterEach(() => {
    for (const name of made.splice(0)) {
      try {
        calls.dmIoctlSync(control, DEV_REMOVE, request(name));
      } catch {
        // The test removed it.
      }
    }
    closeSync(control);
  });

  /** A live device of one target; gives its number. */
  function create(name: string, sectors: number, type: string, parameters = ''): { minor: number } {
    made.push(name);
    const reply = calls.dmIoctlSync(control, DEV_CREATE, request(name));
    calls.dmIoctlSync(control, TABLE_LOAD, table(name, sectors, type, parameters));
    calls.dmIoctlSync(control, DEV_SUSPEND, request(name));
    const device = reply.readBigUInt64LE(40);
    return { minor: Number((device & 0xffn) | ((device >> 12n) & 0xfff00n)) };
  }

  it('tells its version', () => {
    const reply = calls.dmIoctlSync(control, VERSION, request(''));
    expect(reply).toHaveLength(HEADER);
    expect(reply.readUInt32LE(0)).toBe(4);
    expect(reply.readUInt32LE(4)).toBeGreaterThan(0);
  });

  it('makes a device, shows its table, and removes it', () => {
    const { minor } = create('native-linear', 2048, 'linear', '/dev/ubdb 0');
    const path = `/dev/dm-${minor}`;
    const device = openSync(path, 'r');
    expect(calls.blkGetSize64Sync(device)).toBe(2048 * 512);
    expect(failureOf(() => calls.dmIoctlSync(control, DEV_REMOVE, request('native-linear')))).toMatchObject({
      code: 'EBUSY',
      syscall: 'ioctl(DM_DEV_REMOVE)',
    });
    closeSync(device);

    const status = calls.dmIoctlSync(
      control,
      TABLE_STATUS,
      request('native-linear', { room: 4096, flags: STATUS_TABLE }),
    );
    const spec = status.readUInt32LE(16);
    expect(textAt(status, spec + 24)).toBe('linear');
    expect(textAt(status, spec + 40)).toMatch(/^\d+:\d+ 0$/);
    expect(status.length).toBeLessThan(4096);

    calls.dmIoctlSync(control, DEV_REMOVE, request('native-linear'));
    expect(failureOf(() => calls.dmIoctlSync(control, DEV_STATUS, request('native-linear'))).code).toBe(
      'ENXIO',
    );
  });

  it('has the module of a target loaded when the target is asked for', () => {
    const { minor } = create('native-zero', 128, 'zero');
    const device = openSync(`/dev/dm-${minor}`, 'r');
    expect(calls.blkGetSize64Sync(device)).toBe(128 * 512);
    closeSync(device);
  });

  it('gives a reply that outgrows its buffer whole, and leaves the request as it was', () => {
    const names = Array.from({ length: 12 }, (_, index) => `native-${'long-name-'.repeat(8)}${index}`);
    for (const name of names) create(name, 8, 'error');
    const asked = request('');
    const before = Buffer.from(asked);
    const reply = calls.dmIoctlSync(control, LIST_DEVICES, asked);
    expect(asked).toEqual(before);

    const listed: string[] = [];
    for (let at = reply.readUInt32LE(16); ; ) {
      listed.push(textAt(reply, at + 12));
      const next = reply.readUInt32LE(at + 8);
      if (next === 0) break;
      at += next;
    }
    expect(listed).toEqual(expect.arrayContaining(names));

    const versions = calls.dmIoctlSync(control, LIST_VERSIONS, request(''));
    expect(versions.toString('latin1')).toContain('thin-pool');
  });

  it('refuses what exists, what does not, and what makes no sense, with the number of the kernel', () => {
    create('native-twice', 8, 'error');
    const failure = (command: number, bytes: Uint8Array): string =>
      failureOf(() => calls.dmIoctlSync(control, command, bytes)).code;
    expect(failure(DEV_CREATE, request('native-twice'))).toBe('EBUSY');
    expect(failure(DEV_SUSPEND, request('native-none'))).toBe('ENXIO');
    expect(failure(TABLE_LOAD, table('native-twice', 8, 'linear', '/dev/none 0'))).toBe('ENODEV');
    expect(failure(TABLE_LOAD, table('native-twice', 8, 'no-such-target', ''))).toBe('EINVAL');
    // No request of device mapper, and too short for one.
    expect(failure(0x1268, request(''))).toBe('ERR_INVALID_ARG_VALUE');
    expect(failure(VERSION, Buffer.alloc(HEADER - 1))).toBe('ERR_INVALID_ARG_VALUE');
  });

  it('resumes a device although every thread of the libuv pool waits for that', async () => {
    const { minor } = create('native-resume', 2048, 'linear', '/dev/ubdb 0');
    const device = openSync(`/dev/dm-${minor}`, 'r+');
    try {
      const suspended = await calls.dmIoctl(
        control,
        DEV_SUSPEND,
        request('native-resume', { flags: SUSPEND }),
      );
      expect(suspended.readUInt32LE(28) & SUSPEND).toBe(SUSPEND);
      writeSync(device, Buffer.alloc(4096, 1), 0, 4096, 0);
      // Four threads by default, and none of these comes back before the device lives again.
      const flushes = Array.from({ length: 8 }, () => promisify(fsync)(device));
      const resumed = await calls.dmIoctl(control, DEV_SUSPEND, request('native-resume'));
      expect(resumed.readUInt32LE(28) & SUSPEND).toBe(0);
      await Promise.all(flushes);
    } finally {
      closeSync(device);
    }
  });

  it('rejects as it throws', async () => {
    const thrown = failureOf(() => calls.dmIoctlSync(control, DEV_REMOVE, request('native-none')));
    const rejected = await rejectionOf(calls.dmIoctl(control, DEV_REMOVE, request('native-none')));
    for (const key of ['code', 'errno', 'syscall', 'message'] as const)
      expect(rejected[key]).toBe(thrown[key]);
  });
});
