import type { TarEntryInput } from '@x/archive';
import type { Driver } from '@x/layer-store';
import { type Applier, file, holdsOnly, symbolicLink } from '../../appliers/index.js';
import { layerEntry, layerOf } from '../../layer-bytes.js';

/** What the layer below has; every deletion is of something here. */
const LOWER_ENTRIES: readonly TarEntryInput[] = [
  layerEntry.directory('d'),
  layerEntry.file('d/a', 'lower a'),
  layerEntry.file('d/b', 'lower b'),
  layerEntry.directory('d/sub'),
  layerEntry.file('d/sub/x', 'lower x'),
  layerEntry.file('d/sub/y', 'lower y'),
  layerEntry.directory('e'),
  layerEntry.file('e/f', 'lower f'),
  layerEntry.symbolicLink('link', 'd/a'),
  layerEntry.file('one', 'two names'),
  layerEntry.hardLink('other', 'one'),
  layerEntry.file('top', 'lower top'),
];

/** Parts of that which most layers leave alone. */
export const LOWER: {
  readonly d: Applier;
  readonly sub: Applier;
  readonly e: Applier;
} = {
  d: file('d/b', 'lower b'),
  sub: file('d/sub/x', 'lower x'),
  e: file('e/f', 'lower f'),
};

export const LOWER_NAMES: readonly string[] = ['d', 'e', 'link', 'one', 'other', 'top'];

/** Makes `lower` with all of it. */
export async function createLower(driver: Driver): Promise<void> {
  await driver.create('lower');
  await driver.applyDiff('lower', undefined, await layerOf(...LOWER_ENTRIES));
}

/** The names at the top without those that a layer has deleted. */
export function topWithout(...deleted: readonly string[]): Applier {
  return holdsOnly('', ...LOWER_NAMES.filter((name) => !deleted.includes(name)));
}

export const LINK: Applier = symbolicLink('link', 'd/a');
