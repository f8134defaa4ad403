import { assertKnownKeys, invalidOption } from '@x/archive';
import type { DriverFactory, DriverInit } from '@x/layer-store';
import { AufsDriver } from './aufs-driver.js';
import type { AufsKernel } from './kernel/aufs-kernel.js';
import { LinuxAufsKernel } from './kernel/linux-aufs-kernel.js';
import { probeAufs } from './probe/probe-aufs.js';

/** Docker's spelling of an option has the driver's name in front. */
const PREFIX = 'aufs.';
const WHERE = 'aufs driver options';

/** aufs by name, with options as text: `xino`, `mountopt`, `max_mount_options`, each also as `aufs.xino`…, and in capitals. */
export const aufsDriver: DriverFactory = aufsDriverOn(() => new LinuxAufsKernel());

/** The same on another kernel, as the model of `@x/driver-aufs/testing`; one for each home. */
export function aufsDriverOn(kernel: (home: string) => AufsKernel): DriverFactory {
  return {
    name: 'aufs',
    deprecated: true,
    probe: (home) => probeAufs(home, kernel(home)),
    create: (init) => createDriver(init, kernel(init.home)),
  };
}

function createDriver({ home, idMap, options = {} }: DriverInit, kernel: AufsKernel): AufsDriver {
  const entries = Object.entries(options).map(([key, value]): [string, string] => [
    key.toLowerCase().replace(PREFIX, ''),
    value,
  ]);
  const { xino, mountopt, max_mount_options: maximum, ...unknown } = Object.fromEntries(entries);
  assertKnownKeys(WHERE, unknown, []);
  return new AufsDriver({
    home,
    kernel,
    ...(idMap === undefined ? {} : { idMap }),
    ...(xino === undefined ? {} : { xino }),
    ...(mountopt === undefined ? {} : { mountOptions: mountopt }),
    ...(maximum === undefined ? {} : { maxMountOptions: numberOf('max_mount_options', maximum) }),
  });
}

function numberOf(option: string, text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  return invalidOption(WHERE, option, 'a number', text);
}
