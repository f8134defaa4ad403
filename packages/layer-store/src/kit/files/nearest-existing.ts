import { stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '@x/archive';

/** The place itself or the nearest one above it that exists. Fails as stat(2) does, ENOENT apart. */
export async function nearestExisting(place: string): Promise<string> {
  try {
    await stat(place);
    return place;
  } catch (error) {
    const parent = path.dirname(place);
    if (errnoOf(error) !== 'ENOENT' || parent === place) throw error;
    return nearestExisting(parent);
  }
}
