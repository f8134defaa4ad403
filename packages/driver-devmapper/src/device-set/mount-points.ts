import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@x/archive';

/** Where layers are mounted: `<home>/mnt/<id>`. */
export function mountDirectory(home: string): string {
  return join(home, 'mnt');
}

/** What lies in `<home>/mnt`, mounted or not. */
export async function mountPoints(home: string): Promise<string[]> {
  try {
    const directory = mountDirectory(home);
    return (await readdir(directory)).map((name) => join(directory, name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
