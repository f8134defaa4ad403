import { LayerStoreError } from '@x/archive';
import type { DriverId } from '@x/layer-store';

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;
/** What a doomed directory's name ends in; no layer can have such a name. */
export const REMOVING_SUFFIX = '-removing';

/** Whether a name in the home can be that of a layer. */
export function isLayerName(name: string): name is DriverId {
  return ID.test(name) && !name.endsWith(REMOVING_SUFFIX);
}

/**
 * Reads `layers/<id>`: an ancestor a line, the nearest first; empty without a parent (spec/drivers.md 3.1).
 * @throws DRIVER_STATE_DAMAGED
 */
export function parseParents(text: string, path: string): DriverId[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const seen = new Set<string>();
  for (const line of lines) {
    if (!isLayerName(line))
      throw damaged(path, `${JSON.stringify(line.slice(0, 80))} is not the id of a layer`);
    if (seen.has(line)) throw damaged(path, `${line} is in it twice`);
    seen.add(line);
  }
  return lines as DriverId[];
}

/** The text of `layers/<id>`. */
export function formatParents(parents: readonly DriverId[]): string {
  return parents.map((id) => `${id}\n`).join('');
}

function damaged(path: string, why: string): LayerStoreError {
  return new LayerStoreError(
    'DRIVER_STATE_DAMAGED',
    `${path} is not a list of ancestors: ${why}: restore it, or remove the layer`,
    { driver: 'aufs', path },
  );
}
