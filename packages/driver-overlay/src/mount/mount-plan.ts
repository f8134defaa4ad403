import { Buffer } from 'node:buffer';
import { join } from 'node:path';

/** One overlay mount, told plainly. Names of layers are relative to `home`. */
export interface MountDescription {
  /** Absolute. */
  readonly home: string;
  /** Nearest first, at least one. */
  readonly lowers: readonly string[];
  /** Without them the view is read-only. */
  readonly writable: { readonly upper: string; readonly work: string } | undefined;
  /** SELinux context, without quotes. */
  readonly label: string | undefined;
  /** Words for overlay itself: `index=off`, `userxattr`. */
  readonly options: readonly string[];
}

/** What mounts can be made of on this machine. */
export interface MountMeans {
  /**
   * How fsconfig(2) takes `lowerdir+`: `descriptor` since Linux 6.13, `text` since 6.7, `none` before, or when it is
   * switched off.
   */
  readonly fsconfig: 'none' | 'text' | 'descriptor';
  /** Whether mount(2) may be used. */
  readonly mount: boolean;
  /** Bytes of a page: mount(2) copies that much of the options, the NUL behind them included. */
  readonly pageSize: number;
}

/** One fsconfig(2) call. */
export type MountStep =
  | { readonly kind: 'flag'; readonly key: string }
  | { readonly kind: 'text'; readonly key: string; readonly value: string }
  /** The directory is opened and given by its descriptor. */
  | { readonly kind: 'directory'; readonly key: string; readonly path: string };

/** How a mount is made, or why it cannot be. */
export type MountPlan =
  | { readonly via: 'fsopen'; readonly steps: readonly MountStep[] }
  /** mount(2); with `cwd` the names in `data` are meant from there. */
  | { readonly via: 'mount'; readonly data: string; readonly cwd: string | undefined }
  | {
      readonly via: 'refused';
      readonly code: 'LAYER_MAX_DEPTH' | 'DRIVER_NOT_SUPPORTED';
      readonly reason: string;
    };

/** `OVL_MAX_STACK` (fs/overlayfs/params.h): a mount with more lowers is EINVAL. */
export const KERNEL_MAX_LOWERS = 500;
/** fsconfig(2) copies 256 bytes of a text, the NUL behind it included. */
const FSCONFIG_TEXT = 255;

/**
 * Decides how an overlay is mounted (spec/drivers.md 4.8). The new mount interface has no limit but the kernel's 500 layers;
 * mount(2) has a page, which names relative to the home stretch to about 128 layers.
 */
export function planMount(description: MountDescription, means: MountMeans): MountPlan {
  const count = description.lowers.length;
  if (count > KERNEL_MAX_LOWERS) {
    return {
      via: 'refused',
      code: 'LAYER_MAX_DEPTH',
      reason: `${count} layers are below it and the kernel stacks ${KERNEL_MAX_LOWERS}: squash some of them`,
    };
  }
  const steps = means.fsconfig === 'none' ? undefined : fsconfigSteps(description, means.fsconfig);
  if (steps !== undefined) return { via: 'fsopen', steps };
  if (means.mount) return planClassic(description, means.pageSize);
  return {
    via: 'refused',
    code: 'DRIVER_NOT_SUPPORTED',
    reason:
      means.fsconfig === 'none'
        ? 'this kernel has no lowerdir+ (Linux 6.7 or newer) and mount(2) is switched off'
        : `a path is longer than the ${FSCONFIG_TEXT} bytes that this kernel takes, or has a backslash: choose another home or set mountInterface to auto`,
  };
}

/** Undefined: a path would have to be given by descriptor and cannot be. */
function fsconfigSteps(
  { home, lowers, writable, label, options }: MountDescription,
  support: 'text' | 'descriptor',
): MountStep[] | undefined {
  const steps: MountStep[] = [{ kind: 'text', key: 'source', value: 'overlay' }, ...options.map(optionStep)];
  const directories = lowers.map((lower): [string, string] => ['lowerdir+', lower]);
  if (writable !== undefined) {
    directories.push(['upperdir', writable.upper], ['workdir', writable.work]);
  }
  for (const [key, name] of directories) {
    const path = join(home, name);
    // A text spares two calls a layer. Whether a backslash in it is an escape depends on the kernel's version.
    if (Buffer.byteLength(path) <= FSCONFIG_TEXT && !path.includes('\\')) {
      steps.push({ kind: 'text', key, value: path });
    } else if (support === 'descriptor') {
      steps.push({ kind: 'directory', key, path });
    } else {
      return undefined;
    }
  }
  if (label !== undefined) steps.push({ kind: 'text', key: 'context', value: label });
  return steps;
}

function optionStep(option: string): MountStep {
  const equals = option.indexOf('=');
  if (equals === -1) return { kind: 'flag', key: option };
  return { kind: 'text', key: option.slice(0, equals), value: option.slice(equals + 1) };
}

function planClassic(description: MountDescription, pageSize: number): MountPlan {
  const limit = pageSize - 1;
  const absolute = classicData(description, (name) => join(description.home, name));
  if (Buffer.byteLength(absolute) <= limit) return { via: 'mount', data: absolute, cwd: undefined };
  const relative = classicData(description, (name) => name);
  const size = Buffer.byteLength(relative);
  if (size <= limit) return { via: 'mount', data: relative, cwd: description.home };
  return {
    via: 'refused',
    code: 'DRIVER_NOT_SUPPORTED',
    reason: `its mount options come to ${size} bytes, mount(2) takes ${limit}: squash layers, or run Linux 6.7 or newer`,
  };
}

function classicData(
  { lowers, writable, label, options }: MountDescription,
  pathOf: (name: string) => string,
): string {
  const path = (name: string): string => escapeMountPath(pathOf(name));
  const words = [...options, `lowerdir=${lowers.map(path).join(':')}`];
  if (writable !== undefined) {
    words.push(`upperdir=${path(writable.upper)}`, `workdir=${path(writable.work)}`);
  }
  if (label !== undefined) words.push(`context="${label}"`);
  return words.join(',');
}

/** In the options of mount(2) overlay splits at commas and colons; a backslash takes away their meaning, and its own. */
export function escapeMountPath(path: string): string {
  return path.replaceAll(/[\\:,]/g, String.raw`\$&`);
}
