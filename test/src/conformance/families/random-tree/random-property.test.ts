import { describe, expect, it } from '@jest/globals';
import type { EditWish } from '../../edits/edit-wish.js';
import { fail } from '../../expectation.js';
import { forRandomLayers, type RandomCase } from './random-property.js';
import { randomSettings } from './random-settings.js';

const BOUNDS = { layers: 3, edits: 30, time: 20_000 } as const;

/** Fails for a case with a removal somewhere above a link. */
async function fussy(example: RandomCase): Promise<void> {
  const edits: readonly EditWish[] = example.layers.flat();
  example.log = edits.map(({ kind }) => kind);
  const link = edits.findIndex(({ kind }) => kind === 'link');
  if (link !== -1 && edits.slice(link).some(({ kind }) => kind === 'remove')) fail('a removal above a link');
}

async function messageOf(work: () => Promise<void>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  }
  return 'nothing was thrown';
}

describe('a random check', () => {
  it('shows the fewest edits that fail, and how to run them again', async () => {
    const message = await messageOf(() => forRandomLayers(randomSettings({ runs: 50 }), BOUNDS, fussy));
    expect(message).toMatch(
      /^ExpectationFailed: a removal above a link\nafter these edits.*:\nlink\nremove\nagain with --seed \d+ --path [\d:]+/,
    );
    const [, seed, path] = /--seed (\d+) --path ([\d:]+)/.exec(message) ?? [];
    const cases: RandomCase[] = [];
    const again = await messageOf(() =>
      forRandomLayers(randomSettings({ seed: Number(seed), path: path ?? '' }), BOUNDS, async (example) => {
        cases.push(example);
        await fussy(example);
      }),
    );
    expect(again).toContain('link\nremove\n');
    expect(cases[0]?.layers.flat().map(({ kind }) => kind)).toEqual(['link', 'remove']);
  });

  it('draws as many cases as are asked for, the same for the same seed, others for another', async () => {
    const drawn = async (seed: number): Promise<string[]> => {
      const cases: string[] = [];
      await forRandomLayers(randomSettings({ runs: 7, seed }), BOUNDS, async ({ layers }) => {
        cases.push(JSON.stringify(layers));
      });
      return cases;
    };
    const first = await drawn(1);
    expect(first).toHaveLength(7);
    expect(await drawn(1)).toEqual(first);
    expect(await drawn(2)).not.toEqual(first);
  });

  it('begins no case after its time', async () => {
    let cases = 0;
    await forRandomLayers(randomSettings({ runs: 100 }), { ...BOUNDS, time: -1 }, async () => {
      cases += 1;
    });
    expect(cases).toBe(0);
  });

  it('leaves out the kinds of edits it is told to', async () => {
    const kinds = new Set<string>();
    await forRandomLayers(
      randomSettings({ runs: 30, without: ['rename', 'link'] }),
      BOUNDS,
      async ({ layers }) => {
        for (const { kind } of layers.flat()) kinds.add(kind);
      },
    );
    expect([...kinds].filter((kind) => kind === 'rename' || kind === 'link')).toEqual([]);
    expect(kinds.size).toBeGreaterThan(10);
  });
});
