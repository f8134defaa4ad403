import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Fixture {
  readonly name: string;
  readonly tar: Buffer;
}

/** Where Debian's package golang-1.19-src (or a later one) keeps the tar parser's own test archives. */
function fixtureDirectory(): string | undefined {
  try {
    const versions = readdirSync('/usr/share').filter((name) => name.startsWith('go-'));
    return versions
      .map((name) => path.join('/usr/share', name, 'src/archive/tar/testdata'))
      .sort()
      .at(-1);
  } catch {
    return undefined;
  }
}

/** Go's tar fixtures (spec/layer-archive.md 3.12), uncompressed ones only; undefined when the package is not installed. */
export function goFixtures(): readonly Fixture[] | undefined {
  const directory = fixtureDirectory();
  if (directory === undefined) return undefined;
  return readdirSync(directory)
    .filter((name) => name.endsWith('.tar'))
    .sort()
    .map((name) => ({ name: name.slice(0, -'.tar'.length), tar: readFileSync(path.join(directory, name)) }));
}
