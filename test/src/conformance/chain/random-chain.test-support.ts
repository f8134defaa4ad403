import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { changesBetween, copyTree, createArchive, exportChanges } from '@x/archive';
import type { EditSession } from '../edits/edit-session.js';
import type { EditWish } from '../edits/edit-wish.js';
import { bytesOf } from '../layer-bytes.js';

/**
 * Makes a layer of each sequence of edits, as an image builder would that works in a plain directory: the tars, lowest first. The
 * session's model ends as the tree of the last.
 */
export async function randomChain(
  session: EditSession,
  layers: readonly (readonly EditWish[])[],
  scratch: string,
): Promise<readonly Buffer[]> {
  const tars: Buffer[] = [];
  for (const [number, wishes] of layers.entries()) {
    const before = path.join(scratch, `before-${number}`);
    await mkdir(before, { recursive: true });
    await copyTree(session.model, before);
    await session.beginLayer(`layer ${number}`);
    await session.edit(wishes, []);
    // Nanoseconds too: a layer may have them.
    const options = { subSecondTimes: true };
    const stream =
      number === 0
        ? createArchive(session.model, options)
        : exportChanges(session.model, await changesBetween(session.model, before), options);
    tars.push(await bytesOf(stream));
  }
  return tars;
}
