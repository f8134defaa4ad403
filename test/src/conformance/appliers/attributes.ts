import type { BigIntStats } from 'node:fs';
import { chmod, lchown, lstat, lutimes } from 'node:fs/promises';
import { errnoOf } from '@x/archive';
import { loadNative } from '@x/native';
import { fail } from '../expectation.js';
import { kernel } from '../kernel.js';
import { type Applier, expectAttribute, placeOf, shownPath, type TreePath } from './applier.js';

const NANOSECONDS = 1_000_000_000n;

/** Attributes of an object; what is left out is neither set nor checked. */
export interface Attributes {
  /** Permission and special bits. Not of symbolic links. */
  readonly mode?: number;
  /** uid and gid; needs root. */
  readonly owner?: readonly [uid: number, gid: number];
  /** Nanoseconds since the epoch. Without the addon only whole seconds can be set. */
  readonly mtime?: bigint;
  /** Name → value; needs the addon. */
  readonly xattrs?: Readonly<Record<string, string | Uint8Array>>;
}

/** Sets attributes of something that is there: `chmod`, `chown`, `setfattr` and `touch` on a mounted layer. */
export function attributes(path: TreePath, wanted: Attributes): Applier {
  const about = `attributes of ${shownPath(path) || 'the root'}`;
  return {
    about,
    at: shownPath(path),
    apply: (root) => setAttributes(placeOf(root, path), wanted),
    check: async (root) => {
      const place = placeOf(root, path);
      const stat = await lstat(place, { bigint: true }).catch((error: unknown) =>
        fail(`${about}: cannot be looked up: ${errnoOf(error) ?? String(error)}`, { cause: error }),
      );
      await checkAttributes(about, place, stat, wanted);
    },
  };
}

/** The order is the kernel's: a change of owner clears special bits and file capabilities. */
export async function setAttributes(place: Buffer, wanted: Attributes): Promise<void> {
  if (wanted.owner !== undefined) await lchown(place, ...wanted.owner);
  if (wanted.mode !== undefined) await chmod(place, wanted.mode);
  for (const [name, value] of Object.entries(wanted.xattrs ?? {}))
    await kernel().setXattr(place, name, value);
  if (wanted.mtime !== undefined) await setModificationTime(place, wanted.mtime);
}

export async function checkAttributes(
  about: string,
  place: Buffer,
  stat: BigIntStats,
  wanted: Attributes,
): Promise<void> {
  if (wanted.mode !== undefined) expectAttribute(about, 'mode', Number(stat.mode) & 0o7777, wanted.mode);
  if (wanted.owner !== undefined) {
    expectAttribute(about, 'owner', `${stat.uid}:${stat.gid}`, wanted.owner.join(':'));
  }
  if (wanted.mtime !== undefined) expectAttribute(about, 'mtime', stat.mtimeNs, wanted.mtime);
  for (const [name, value] of Object.entries(wanted.xattrs ?? {})) {
    const found = await kernel().getXattr(place, name);
    expectAttribute(about, `xattr ${name}`, found?.toString('hex'), Buffer.from(value).toString('hex'));
  }
}

async function setModificationTime(place: Buffer, nanoseconds: bigint): Promise<void> {
  if (loadNative().available) await kernel().setModificationTime(place, nanoseconds);
  else if (nanoseconds % NANOSECONDS === 0n) {
    // As a Date: Node takes a negative number for "now".
    const time = new Date(Number(nanoseconds / 1_000_000n));
    await lutimes(place, time, time);
  } else throw new Error('a time with nanoseconds needs the addon: give the check `needs: [native]`');
}
