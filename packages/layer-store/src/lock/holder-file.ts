import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import { type Holder, holderState, parseHolder, thisHolder } from './holder.js';

/** How often a lock that turns out stale is tried again before it is called held. */
const ATTEMPTS = 5;

/**
 * Takes a lock by creating `lock` with a description of this process in it: complete from the first moment, because it is
 * written aside and linked into place. A file left by a dead process is moved away and checked to be the one that was
 * judged, so that of two processes that find it one wins. Throws STORE_LOCKED with the holder's pid.
 *
 * `kernelLock`: the caller has the directory's open-file-description lock.
 */
export async function takeHolderFile(lock: string, kernelLock: boolean): Promise<() => Promise<void>> {
  const text = JSON.stringify(await thisHolder(kernelLock));
  const aside = `${lock}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(aside, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (await linkIfAbsent(aside, lock)) {
        await sweepAside(lock, aside);
        return () => removeIfOurs(lock, text);
      }
      const found = await readIfPresent(lock);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (!(kernelLock && holder?.kernelLock === true)) await refuseUnlessDead(lock, holder);
      await moveStaleAway(lock, found, aside);
    }
    throw locked(lock, undefined, 'is contended');
  } finally {
    await unlink(aside).catch(() => undefined);
  }
}

async function refuseUnlessDead(lock: string, holder: Holder | undefined): Promise<void> {
  if (holder === undefined) return;
  const state = await holderState(holder);
  if (state === 'alive') throw locked(lock, holder, 'is held');
  if (state === 'unknown') throw locked(lock, holder, 'is held by a process of another pid namespace');
}

function locked(lock: string, holder: Holder | undefined, what: string): LayerStoreError {
  const by = holder === undefined ? '' : ` by process ${holder.pid}`;
  return new LayerStoreError(
    'STORE_LOCKED',
    `the lock ${lock} ${what}${by}: close that store first, or remove the file if nothing uses it`,
    { path: lock, ...(holder === undefined ? {} : { actual: String(holder.pid) }) },
  );
}

async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    // A new holder sweeps what lies aside, ours included.
    if (errnoOf(error) === 'ENOENT') throw locked(to, undefined, 'is contended');
    throw error;
  }
}

/** Contenders that were killed leave their descriptions behind. */
async function sweepAside(lock: string, ours: string): Promise<void> {
  const prefix = `${path.basename(lock)}.`;
  const directory = path.dirname(lock);
  for (const name of await readdir(directory)) {
    const found = path.join(directory, name);
    if (name.startsWith(prefix) && found !== ours) await unlink(found).catch(() => undefined);
  }
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function moveStaleAway(lock: string, judged: string, aside: string): Promise<void> {
  const grave = `${aside}.stale`;
  try {
    await rename(lock, grave);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  // Somebody quicker may have taken over between the judgement and the rename: give the file back.
  if ((await readIfPresent(grave)) !== judged) await linkIfAbsent(grave, lock);
  await unlink(grave).catch(() => undefined);
}

async function removeIfOurs(lock: string, text: string): Promise<void> {
  if ((await readIfPresent(lock)) === text) await unlink(lock);
}
