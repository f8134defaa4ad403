import { copyFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  gnuTarCreate,
  gnuTarExtract,
  inFreshDirectory,
  linkTree,
  moby,
  mobyLayer,
  subject,
} from './contestants.js';
import { OURS, type Scoreboard } from './scoreboard.js';
import type { Volume } from './volume.js';

const READ_WRITE_LAYERS = 5;
const OVERLAY_READ_WRITE_LAYERS = 100;
/** In one process: the first run compiles, the others are what a program that does more than one layer sees. */
const RUNS = '4';

/**
 * One round on one corpus: every contestant registers (or extracts), exports (or packs) and makes read-write layers, one after
 * the other, so that what disturbs the machine disturbs all of them.
 */
export async function layerRace(
  volume: Volume,
  corpus: string,
  tar: string,
  board: Scoreboard,
): Promise<void> {
  const at = volume.path;
  const label = (what: string): string => `${what} ${corpus} ${volume.kind}`;
  const input = path.join(at, 'input.tar');
  await copyFile(tar, input);

  await inFreshDirectory(at, 'gnu', async (directory) => {
    board.add(label('register'), 'GNU tar -x', await gnuTarExtract(directory, input));
    board.add(label('export'), 'GNU tar -c', await gnuTarCreate(directory, path.join(at, 'out.tar')));
  });
  const race = async (root: string, portable: boolean, name: string): Promise<string> => {
    const registered = await subject(['register', root, input, RUNS], { portable });
    const chain = registered.chainId ?? '';
    const exported = await subject(['export', root, chain, RUNS], { portable });
    for (const [what, sample] of [
      ['register', registered],
      ['export', exported],
    ] as const) {
      board.add(label(what), name, sample);
      board.add(label(what), `${name}, first`, { seconds: sample.firstSeconds ?? sample.seconds });
    }
    return chain;
  };
  await inFreshDirectory(at, 'ours', async (root) => {
    const chain = await race(root, false, OURS);
    const rw = await subject(['rw', root, chain, String(READ_WRITE_LAYERS)]);
    board.add(label(`rw x${READ_WRITE_LAYERS}`), OURS, rw);
  });
  await inFreshDirectory(at, 'portable', async (root) => {
    await race(root, true, 'no addon');
  });
  await inFreshDirectory(at, 'portable-tree', async (directory) => {
    const extracted = await subject(['extract', directory, input], { portable: true });
    board.add(label('register'), 'no addon, extraction only', extracted);
  });
  if (mobyLayer() !== undefined) {
    await inFreshDirectory(at, 'moby', async (root) => {
      const registered = await moby(root, ['register', input]);
      board.add(label('register'), 'Docker', registered);
      const chain = registered.chainID ?? '';
      board.add(label('export'), 'Docker', await moby(root, ['export', chain]));
      board.add(
        label(`rw x${READ_WRITE_LAYERS}`),
        'Docker',
        await moby(root, ['rw', chain], READ_WRITE_LAYERS),
      );
    });
  }
  await overlayRace(volume, corpus, input, board);
  for (const name of ['node-tar', 'tar-fs'] as const) {
    await inFreshDirectory(at, name, async (directory) => {
      const extracted = await attempt(name, () => subject([`${name}-extract`, directory, input]));
      if (extracted === undefined) return;
      board.add(label('register'), name, extracted);
      if (name === 'node-tar') return;
      const packed = await attempt(name, () => subject(['tar-fs-pack', directory, path.join(at, 'out.tar')]));
      if (packed !== undefined) board.add(label('export'), name, packed);
    });
  }
}

/**
 * The overlay layouts beside vfs and beside Docker's overlay2; mounts are cheap, so that many are made. The hard-link layout's
 * second layer stands beside `cp -al` of the first.
 */
async function overlayRace(volume: Volume, corpus: string, input: string, board: Scoreboard): Promise<void> {
  const label = (what: string): string => `${what} ${corpus} ${volume.kind}`;
  const rw = label(`rw x${OVERLAY_READ_WRITE_LAYERS} overlay2`);
  for (const driver of ['overlay2', 'overlay']) {
    await inFreshDirectory(volume.path, driver, async (root) => {
      const registered = await subject(['register', root, input, RUNS], { driver });
      const chain = registered.chainId ?? '';
      board.add(label('register'), driver, registered);
      if (driver === 'overlay2') {
        board.add(
          rw,
          OURS,
          await subject(['rw', root, chain, String(OVERLAY_READ_WRITE_LAYERS)], { driver }),
        );
        return;
      }
      const second = label('second layer by hard links');
      board.add(second, OURS, await subject(['child', root, chain], { driver }));
      const [base = ''] = await readdir(path.join(root, driver));
      board.add(
        second,
        'cp -al',
        await linkTree(path.join(root, driver, base, 'root'), path.join(root, 'linked')),
      );
    });
  }
  if (mobyLayer() === undefined) return;
  await inFreshDirectory(volume.path, 'moby-overlay2', async (root) => {
    const { chainID = '' } = await moby(root, ['register', input], 1, 'overlay2');
    board.add(rw, 'Docker', await moby(root, ['rw', chainID], OVERLAY_READ_WRITE_LAYERS, 'overlay2'));
  });
}

/** A contestant that cannot do it is left out, and that is said. */
async function attempt<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const text = String(error);
    console.error(`${name} could not: ${/^Error: .*/m.exec(text.slice(text.indexOf('\n')))?.[0] ?? text}`);
    return undefined;
  }
}

/** Opening a store of many layers, in a process of its own. */
export async function reopenRace(
  volume: Volume,
  layers: number,
  rounds: number,
  board: Scoreboard,
): Promise<void> {
  await inFreshDirectory(volume.path, 'many', async (root) => {
    await subject(['fill', root, String(layers)]);
    for (let round = 0; round < rounds; round++) {
      board.add(`reopen ${layers} layers ${volume.kind}`, OURS, await subject(['reopen', root]));
    }
  });
}
