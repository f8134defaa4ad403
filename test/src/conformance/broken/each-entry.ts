import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';

/** Visits everything below a directory, what a directory holds before it. Not the directory itself. */
export async function eachEntry(
  root: string | Buffer,
  visit: (path: Buffer, stat: BigIntStats) => Promise<void>,
): Promise<void> {
  for (const name of await readdir(root, { encoding: 'buffer' })) {
    const path = Buffer.concat([Buffer.from(root), Buffer.from('/'), name]);
    const stat = await lstat(path, { bigint: true });
    if (stat.isDirectory()) await eachEntry(path, visit);
    await visit(path, stat);
  }
}
