import { parseMountOptions } from '@x/layer-store/driver-kit';
import type { ThinMountOptions } from './thin-file-systems.js';

const MS_RDONLY = 1;

/** Arguments of mount(2). */
export interface MountArguments {
  readonly type: string;
  /** MS_* flags. */
  readonly flags: number;
  /** What the file system itself reads. */
  readonly data: string;
}

/**
 * How a thin device is mounted (spec/drivers.md 2.14). Words that the kernel knows as flags (`noatime`) are not passed as data,
 * which file systems refuse. xfs needs `nouuid`: all snapshots have the uuid of the base. A read-only mount must not replay
 * the journal of a snapshot that was taken while its origin was mounted. Propagation words have no meaning here and are left out.
 */
export function mountArguments(options: ThinMountOptions): MountArguments {
  const { type, mountOptions, mountLabel, readOnly = false } = options;
  const own = type === 'xfs' ? ['nouuid'] : [];
  const journal = type === 'xfs' ? 'norecovery' : 'noload';
  const label = mountLabel === undefined || mountLabel === '' ? [] : [`context="${mountLabel}"`];
  const words = [...own, ...mountOptions, ...(readOnly ? ['ro', journal] : []), ...label];
  const { flags, data } = parseMountOptions(words.join(','));
  return { type, flags: readOnly ? flags | MS_RDONLY : flags, data: withoutRepetitions(data) };
}

/** `nouuid` in dm.mountopt, too, is harmless. */
function withoutRepetitions(data: string): string {
  // A quoted context may hold commas.
  const words = data.match(/(?:"[^"]*"|[^",])+/g) ?? [];
  return [...new Set(words)].join(',');
}
