import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DriverId } from '@x/layer-store';
import { TestArea } from '../test-area.test-support.js';
import { LayerFiles } from './layer-files.js';
import { type LayerRecord, mendLinks, nameLayers } from './link-mending.js';
import { isShortLink, type ShortLink } from './short-link.js';

const [BASE, MIDDLE, TOP] = ['base', 'middle', 'top'] as [DriverId, DriverId, DriverId];
const link = (letter: string): ShortLink => letter.repeat(26) as ShortLink;
const [A, B, C, X] = [link('A'), link('B'), link('C'), link('X')];

const record = (id: DriverId, over: Partial<LayerRecord> = {}): LayerRecord => ({
  id,
  link: undefined,
  lower: undefined,
  lowerIds: undefined,
  ...over,
});

describe('names for layers', () => {
  it('are what layers above call them, when both links and link files are lost', () => {
    const layers = [
      record(BASE),
      record(MIDDLE, { lower: [A], lowerIds: [BASE] }),
      record(TOP, { lower: [B, A], lowerIds: [MIDDLE, BASE] }),
    ];
    const names = nameLayers(layers, new Map());
    expect([names.get(BASE), names.get(MIDDLE)]).toEqual([A, B]);
    expect(isShortLink(names.get(TOP) ?? '')).toBe(true);
  });

  it('come from the link file, then from a link that leads there', () => {
    const layers = [record(BASE, { link: A }), record(MIDDLE)];
    const names = nameLayers(
      layers,
      new Map([
        [B, MIDDLE],
        [X, BASE],
      ] as const),
    );
    expect(names).toEqual(
      new Map([
        [BASE, A],
        [MIDDLE, B],
      ]),
    );
  });

  it('are never shared', () => {
    const layers = [record(BASE, { link: A }), record(MIDDLE, { link: A }), record(TOP, { link: A })];
    expect(new Set(nameLayers(layers, new Map()).values()).size).toBe(3);
  });

  it('are not taken from what is no name, and not given to layers that are gone', () => {
    const layers = [record(MIDDLE, { lower: [A], lowerIds: [BASE] })];
    const names = nameLayers(layers, new Map([['..', MIDDLE]]));
    expect([...names.keys()]).toEqual([MIDDLE]);
    expect(isShortLink(names.get(MIDDLE) ?? '')).toBe(true);
  });
});

describe('mending a home', () => {
  let area: TestArea;
  let files: LayerFiles;

  beforeEach(async () => {
    area = new TestArea('/dev/shm');
    files = new LayerFiles(area.path);
    mkdirSync(area.at('l'));
    make(BASE, A, []);
    make(MIDDLE, B, [[BASE, A]]);
    make(TOP, C, [
      [MIDDLE, B],
      [BASE, A],
    ]);
  });

  afterEach(() => {
    area[Symbol.dispose]();
  });

  function make(id: DriverId, own: ShortLink, below: readonly (readonly [DriverId, ShortLink])[]): void {
    mkdirSync(area.at(id, 'diff'), { recursive: true });
    symlinkSync(`../${id}/diff`, area.at('l', own));
    writeFileSync(area.at(id, 'link'), own);
    if (below.length === 0) return;
    writeFileSync(area.at(id, 'lower'), below.map(([, lower]) => `l/${lower}`).join(':'));
    writeFileSync(area.at(id, 'lower-ids'), below.map(([lower]) => `${lower}\n`).join(''));
  }

  /** Everything that mending is about. */
  function state(): Record<string, string> {
    const all: Record<string, string> = {};
    for (const name of readdirSync(area.at('l'))) all[`l/${name}`] = readlinkSync(area.at('l', name));
    for (const id of [BASE, MIDDLE, TOP]) {
      for (const name of readdirSync(area.at(id))) {
        if (name !== 'diff') all[join(id, name)] = readFileSync(area.at(id, name), 'utf8');
      }
    }
    return all;
  }

  it.each<[what: string, damage: () => unknown]>([
    ['all links', () => readdirSync(area.at('l')).map((name) => rmSync(area.at('l', name)))],
    ['all link files', () => [BASE, MIDDLE, TOP].map((id) => rmSync(area.at(id, 'link')))],
    ['one link', () => rmSync(area.at('l', B))],
    ['the content of a link file', () => writeFileSync(area.at(MIDDLE, 'link'), '')],
    ['the content of a list of lowers', () => writeFileSync(area.at(TOP, 'lower'), '')],
    ['a list of lowers', () => rmSync(area.at(TOP, 'lower'))],
    ['the ids of the lowers', () => rmSync(area.at(TOP, 'lower-ids'))],
    ['the content of the ids of the lowers', () => writeFileSync(area.at(TOP, 'lower-ids'), 'mid')],
  ])('makes %s again as it was', async (_what, damage) => {
    const before = state();
    damage();
    expect(state()).not.toEqual(before);
    await mendLinks(files);
    expect(state()).toEqual(before);
  });

  it('makes links and link files again with the names that the layers above use', async () => {
    const before = state();
    rmSync(area.at('l'), { recursive: true });
    mkdirSync(area.at('l'));
    for (const id of [BASE, MIDDLE, TOP]) rmSync(area.at(id, 'link'));
    await mendLinks(files);
    const after = state();
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    // Nobody knows what the uppermost layer was called.
    expect(changed.sort()).toEqual([`l/${files.link(TOP)}`, 'top/link'].sort());
    expect(Object.keys(after)).toHaveLength(Object.keys(before).length);
  });

  it('rewrites lists when a name could not be kept', async () => {
    // Two layers call themselves alike, and nobody above says which is right.
    for (const name of ['lower', 'lower-ids']) rmSync(area.at(TOP, name));
    for (const name of ['lower', 'lower-ids']) rmSync(area.at(MIDDLE, name));
    writeFileSync(area.at(TOP, 'lower-ids'), 'middle\nbase\n');
    writeFileSync(area.at(MIDDLE, 'link'), A);
    await mendLinks(files);
    const names = [MIDDLE, BASE].map((id) => files.link(id));
    expect(new Set(names).size).toBe(2);
    expect(files.lower(TOP)).toEqual(names);
    expect(names.map((name) => name !== undefined && files.linkTarget(name))).toEqual([MIDDLE, BASE]);
  });

  it('writes nothing when nothing is wrong', async () => {
    const before = state();
    const times = (): bigint[] =>
      [TOP, 'l'].map((name) => statSync(files.path(name), { bigint: true }).mtimeNs);
    const earlier = times();
    await mendLinks(files);
    expect(state()).toEqual(before);
    expect(times()).toEqual(earlier);
  });

  it('leaves a layer alone whose lower is gone for good', async () => {
    rmSync(area.at(BASE), { recursive: true });
    await mendLinks(files);
    expect(files.lower(TOP)).toEqual([B, A]);
    expect(files.lowerIds(TOP)).toEqual([MIDDLE, BASE]);
  });
});
