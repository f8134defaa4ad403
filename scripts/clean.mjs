// Removes everything that was built from TypeScript, also what no source makes any more: a package packs its whole `dist`.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
for (const { path } of references) rmSync(join(root, path, 'dist'), { recursive: true, force: true });
