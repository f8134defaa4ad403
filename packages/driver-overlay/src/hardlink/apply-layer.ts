import { mkdtemp, rename } from 'node:fs/promises';
import { copyTree, errnoOf } from '@x/archive';
import type { LayerSource, UnpackOptions, UnpackResult } from '@x/layer-store';
import { removeRobustly } from '@x/layer-store/driver-kit';
import { AT_FDCWD, native, RENAME_EXCHANGE } from '@x/native';
import { HARDLINK_FAILPOINTS } from './failpoints.js';
import { isDirectory, type LayerDirectory } from './layer-directory.js';

/** A layer to be unpacked onto a tree that shares its files. */
export interface ApplyRequest {
  readonly target: LayerDirectory;
  /** The tree to begin with: the parent's. */
  readonly base: string;
  /** Nothing else writes to `base` in place, so that its files may be shared. */
  readonly share: boolean;
  readonly layer: LayerSource;
  readonly unpack: Omit<UnpackOptions, 'whiteouts'>;
}

/**
 * Gives a layer a tree of its own (spec/drivers.md 4.4): the base copied by hard links, the layer unpacked on top, renamed
 * into place, and what overlay needed deleted. The unpacking replaces whatever an entry names, so that no shared inode is
 * changed. Until the rename the layer is as it was; from then on the tree counts, and the next open ends what is missing.
 */
export async function applyOnSharedTree(request: ApplyRequest): Promise<UnpackResult> {
  const { target, layer, unpack } = request;
  const unfinished = await mkdtemp(target.unfinishedPrefix);
  try {
    await HARDLINK_FAILPOINTS.step('hardlink.apply-share', () => copyBase(request, unfinished));
    const result = await HARDLINK_FAILPOINTS.step('hardlink.apply-unpack', () =>
      layer.unpack(unfinished, { ...unpack, whiteouts: 'delete' }),
    );
    await HARDLINK_FAILPOINTS.step('hardlink.apply-publish', () => publish(unfinished, target));
    await HARDLINK_FAILPOINTS.step('hardlink.apply-clear', async () => {
      const leftovers = await target.leftovers({ kind: 'root' });
      for (const leftover of leftovers) await removeRobustly(leftover);
    });
    return result;
  } catch (error) {
    // The failure to report is the first one; the next open clears away what could not be removed now.
    await removeRobustly(unfinished).catch(() => undefined);
    throw error;
  }
}

async function copyBase({ base, share, unpack }: ApplyRequest, target: string): Promise<void> {
  const options = {
    shortfalls: unpack.ownership ?? 'fail',
    ...(unpack.signal === undefined ? {} : { signal: unpack.signal }),
  } as const;
  if (share) {
    try {
      await copyTree(base, target, { ...options, mode: 'hardlink' });
      return;
    } catch (error) {
      // A directory with a project quota takes no links from outside.
      if (errnoOf(error) !== 'EXDEV') throw error;
      await removeRobustly(target);
    }
  }
  await copyTree(base, target, { ...options, mode: 'content' });
}

/** A tree that is there already is exchanged, in one step, and deleted with the leftovers. */
async function publish(unfinished: string, target: LayerDirectory): Promise<void> {
  if (native.available && (await isDirectory(target.root))) {
    native.calls.renameat2Sync(AT_FDCWD, unfinished, AT_FDCWD, target.root, RENAME_EXCHANGE);
    return;
  }
  await rename(unfinished, target.root);
}
