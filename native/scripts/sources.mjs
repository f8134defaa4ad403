// Lists the addon's C++ sources relative to this package, for binding.gyp (one per line) and for build.mjs.
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/** Every `src/**\/*.cc`, sorted so that builds are reproducible, with `/` as separator (gyp wants it). */
export function listSources() {
  return readdirSync(join(packageRoot, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.cc'))
    .map((entry) => relative(packageRoot, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${listSources().join('\n')}\n`);
