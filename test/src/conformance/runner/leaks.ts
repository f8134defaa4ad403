import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import {
  findSystemProgram,
  mountsBelow,
  readMountInfo,
  runProgram,
  unmountBelow,
} from '@x/layer-store/driver-kit';

/** Something that a closed driver still holds on to. */
export interface Leak {
  readonly kind: 'mount' | 'descriptor' | 'loop device' | 'program';
  readonly what: string;
}

/** A FUSE program ends a moment after its mount does. */
const PATIENCE = 1000;
const INTERVAL = 20;

/** Everything that is still in use below `directory` after a moment's patience. */
export async function findLeaks(directory: string): Promise<readonly Leak[]> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const leaks = [
      ...(await mounts(directory)),
      ...(await descriptors(directory)),
      ...(await loopDevices(directory)).map(
        ({ device, file }): Leak => ({
          kind: 'loop device',
          what: `${device} on ${file}`,
        }),
      ),
      ...(await programs(directory)),
    ];
    if (leaks.length === 0 || Date.now() > until) return leaks;
    await delay(INTERVAL);
  }
}

/** Ends mounts and loop devices below `directory`, so that a bad driver does not spoil the next check. */
export async function clearLeaks(directory: string): Promise<void> {
  await unmountBelow(directory);
  const losetup = await findSystemProgram('losetup');
  if (losetup === undefined) return;
  for (const { device } of await loopDevices(directory)) await runProgram('losetup', ['-d', device]);
}

async function mounts(directory: string): Promise<Leak[]> {
  const found = mountsBelow(await readMountInfo(), directory);
  return found.map(({ mountPoint, fsType }) => ({ kind: 'mount', what: `${mountPoint} (${fsType})` }));
}

async function descriptors(directory: string): Promise<Leak[]> {
  const leaks: Leak[] = [];
  for (const fd of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined);
    if (target?.startsWith(`${directory}/`)) leaks.push({ kind: 'descriptor', what: `${fd} on ${target}` });
  }
  return leaks;
}

async function loopDevices(directory: string): Promise<{ device: string; file: string }[]> {
  const devices = await readdir('/sys/block').catch((): string[] => []);
  const found: { device: string; file: string }[] = [];
  for (const device of devices.filter((name) => name.startsWith('loop'))) {
    const file = await readFile(`/sys/block/${device}/loop/backing_file`, 'utf8').catch(() => '');
    if (file.startsWith(`${directory}/`)) found.push({ device: `/dev/${device}`, file: file.trimEnd() });
  }
  return found;
}

/** Programs that were started with a path below `directory`. */
async function programs(directory: string): Promise<Leak[]> {
  const leaks: Leak[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (line.includes(`${directory}/`))
      leaks.push({ kind: 'program', what: `${pid}: ${line.replaceAll('\0', ' ').trim()}` });
  }
  return leaks;
}
