import { assertKnownKeys, type IdMap, invalidOption, parseBoolean } from '@x/archive';
import type { DriverFactory, DriverInit } from '@x/layer-store';
import type { OverlayDriverOptions, OverlayName } from './options.js';
import { OverlayDriver } from './overlay-driver.js';
import { probeOverlay } from './probe/probe-overlay.js';

/** Docker's spelling of an option has a driver's name in front; containers/storage has `overlay.` for all of them. */
const PREFIX = /^(?:overlay2?|fuse-overlayfs)\./;
const MOUNT_PROGRAM = 'fuse-overlayfs';
const INTERFACES = ['auto', 'fsopen', 'mount'] as const;

/** One directory per layer, stacked by the kernel: give it to `LayerStore.open` in `drivers`. Options: see the README. */
export const overlay2Driver: DriverFactory = overlayFactory('overlay2', { layout: 'multi-lower' });

/** Full trees that share files by hard links, mounted on one lower directory. */
export const overlayDriver: DriverFactory = overlayFactory('overlay', { layout: 'hardlink' });

/** As overlay2, mounted by a program over FUSE: works without root. */
export const fuseOverlayfsDriver: DriverFactory = overlayFactory('fuse-overlayfs', {
  layout: 'multi-lower',
  mountProgram: MOUNT_PROGRAM,
});

function overlayFactory(
  name: OverlayName,
  fixed: Pick<OverlayDriverOptions, 'layout' | 'mountProgram'>,
): DriverFactory {
  const { mountProgram } = fixed;
  return {
    name,
    deprecated: name === 'overlay',
    probe: (home) => probeOverlay(home, mountProgram === undefined ? {} : { mountProgram }),
    create: ({ home, idMap, options = {} }: DriverInit): OverlayDriver =>
      new OverlayDriver({ home, ...fixed, ...mapOf(idMap), ...parseOptions(name, options) }),
  };
}

function mapOf(idMap: IdMap | undefined): Pick<OverlayDriverOptions, 'idMap'> {
  return idMap === undefined ? {} : { idMap };
}

/** Options as text, also with a prefix; capitals mean nothing in a name (spec/drivers.md 1.8). Fails with OPTION_UNKNOWN, OPTION_INVALID. */
function parseOptions(
  name: OverlayName,
  options: Readonly<Record<string, string>>,
): Partial<OverlayDriverOptions> {
  const where = `${name} driver options`;
  const entries = Object.entries(options).map(([key, value]): [string, string] => [
    key.toLowerCase().replace(PREFIX, ''),
    value,
  ]);
  const {
    size,
    inodes,
    rootless,
    mountopt,
    mount_interface: mountInterface,
    mount_program: mountProgram,
    override_kernel_check: kernelCheck,
    ...unknown
  } = Object.fromEntries(entries);
  assertKnownKeys(where, unknown, []);
  // Docker still takes it, and ignores it: the probe mounts instead of comparing versions.
  if (kernelCheck !== undefined) flag(where, 'override_kernel_check', kernelCheck);
  return {
    ...(size === undefined ? {} : { size }),
    ...(inodes === undefined ? {} : { inodes: count(where, 'inodes', inodes) }),
    ...(rootless === undefined ? {} : { rootless: flag(where, 'rootless', rootless) }),
    ...(mountopt === undefined ? {} : { mountOptions: mountopt }),
    ...(mountInterface === undefined ? {} : { mountInterface: interfaceOf(where, mountInterface) }),
    ...(mountProgram === undefined ? {} : { mountProgram: programOf(where, name, mountProgram) }),
  };
}

function flag(where: string, option: string, text: string): boolean {
  return parseBoolean(text) ?? invalidOption(where, option, 'true or false', text);
}

function count(where: string, option: string, text: string): number {
  return /^\d+$/.test(text) ? Number(text) : invalidOption(where, option, 'a number', text);
}

function interfaceOf(where: string, text: string): (typeof INTERFACES)[number] {
  return (
    INTERFACES.find((known) => known === text) ??
    invalidOption(where, 'mount_interface', `one of ${INTERFACES.join(', ')}`, text)
  );
}

/** A store made with a program looks different inside, so that it goes by that driver's name. */
function programOf(where: string, name: OverlayName, text: string): string {
  return name === 'fuse-overlayfs'
    ? text
    : invalidOption(where, 'mount_program', 'given to the fuse-overlayfs driver', text);
}
