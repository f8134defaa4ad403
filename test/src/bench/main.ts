/**
 * `npm run bench -- [--corpus debian,npm,big] [--volume tmpfs,ext4] [--rounds 3] [--reopen 2000] [--json FILE]`
 * Every figure is a median over the rounds of this run; the ratios say how many times as long as ours the others took.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { bigFilesTar } from '../corpus/big-files.js';
import { debianTar } from '../corpus/debian-tree.js';
import { npmTar } from '../corpus/npm-tree.js';
import { mobyLayer } from './contestants.js';
import { layerRace, reopenRace } from './layer-race.js';
import { Scoreboard } from './scoreboard.js';
import { ext4Volume, tmpfsVolume, type Volume } from './volume.js';

const CORPORA: Readonly<Record<string, () => Promise<string>>> = {
  debian: debianTar,
  npm: npmTar,
  big: bigFilesTar,
};
const VOLUMES: Readonly<Record<string, () => Promise<Volume>>> = {
  tmpfs: tmpfsVolume,
  ext4: () => ext4Volume(8),
};

const { values } = parseArgs({
  options: {
    corpus: { type: 'string', default: 'debian,npm,big' },
    volume: { type: 'string', default: 'tmpfs,ext4' },
    rounds: { type: 'string', default: '3' },
    reopen: { type: 'string', default: '2000' },
    json: { type: 'string', default: 'bench-results.json' },
  },
});

function pick<T>(
  table: Readonly<Record<string, T>>,
  names: string,
  what: string,
): readonly (readonly [string, T])[] {
  return names.split(',').map((name) => {
    const found = Object.hasOwn(table, name) ? table[name] : undefined;
    if (found === undefined)
      throw new RangeError(`unknown ${what} ${name}; there are ${Object.keys(table).join(', ')}`);
    return [name, found] as const;
  });
}

const rounds = Number(values.rounds);
const board = new Scoreboard();
if (mobyLayer() === undefined) console.error("Docker's store is not measured: moby-layer is not installed");

for (const [volumeName, openVolume] of pick(VOLUMES, values.volume, 'volume')) {
  for (const [corpusName, makeTar] of pick(CORPORA, values.corpus, 'corpus')) {
    const tar = await makeTar();
    for (let round = 1; round <= rounds; round++) {
      await using volume = await openVolume();
      console.error(`${volumeName} ${corpusName}: round ${round} of ${rounds}`);
      await layerRace(volume, corpusName, tar, board);
    }
  }
  if (Number(values.reopen) > 0) {
    await using volume = await openVolume();
    await reopenRace(volume, Number(values.reopen), rounds, board);
  }
}
console.log(board.toString());
await writeFile(
  values.json,
  `${JSON.stringify({ node: process.version, rounds, rows: board.toJSON() }, undefined, 2)}\n`,
);
