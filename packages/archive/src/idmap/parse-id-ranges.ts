import { LayerStoreError } from '../errors.js';
import type { IdRange } from './id-map.js';

function malformed(what: string, form: string): LayerStoreError {
  return new LayerStoreError(
    'OPTION_INVALID',
    `${JSON.stringify(what.slice(0, 80))} is not an id range; write ${form}`,
    {
      option: 'idMap',
    },
  );
}

function wholeNumber(text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * Ranges from text of the form `container:host:size`, several separated by commas, such as `0:100000:65536`. Empty text
 * is no ranges. Whether the numbers make sense is checked by `IdMap`.
 * @throws OPTION_INVALID
 */
export function parseIdRanges(text: string): IdRange[] {
  if (text.trim() === '') return [];
  return text.split(',').map((part) => {
    const [containerId, hostId, size, ...rest] = part.trim().split(':').map(wholeNumber);
    const complete =
      containerId !== undefined && hostId !== undefined && size !== undefined && rest.length === 0;
    if (!complete || Number.isNaN(containerId + hostId + size)) throw malformed(part, 'container:host:size');
    return { containerId, hostId, size };
  });
}

/**
 * The ranges that a file in the form of `/etc/subuid` (subuid(5): `owner:start:count` lines) gives to a user, by name or
 * by number, laid out one after another from container id 0 in the order of the file, as Docker does. Blank lines and
 * lines that start with `#` are skipped; lines of others are not looked at.
 * @throws OPTION_INVALID for a malformed line of this user
 */
export function parseSubordinateIds(text: string, ...owners: readonly (string | number)[]): IdRange[] {
  const wanted = new Set(owners.map(String));
  const ranges: IdRange[] = [];
  let containerId = 0;
  for (const line of text.split('\n')) {
    const fields = line.trim().split(':');
    const [owner = '', start = '', count = ''] = fields;
    if (owner === '' || owner.startsWith('#') || !wanted.has(owner)) continue;
    const hostId = wholeNumber(start);
    const size = wholeNumber(count);
    if (fields.length !== 3 || Number.isNaN(hostId + size) || size === 0)
      throw malformed(line, 'owner:start:count');
    ranges.push({ containerId, hostId, size });
    containerId += size;
  }
  return ranges;
}
