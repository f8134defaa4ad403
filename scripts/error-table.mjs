// Writes the README's error table from the catalogue; `--check` only compares (lint).
import { readFileSync, writeFileSync } from 'node:fs';
import { ERROR_CODES } from '../packages/archive/dist/errors.js';

const BEGIN = '<!-- errors -->';
const readme = readFileSync('README.md', 'utf8');
const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
const table = `${BEGIN}\n| code | meaning and remedy |\n|---|---|\n${rows.join('\n')}\n`;
const next = readme.replace(new RegExp(`${BEGIN}\n[\\s\\S]*?(?=\n## )`), table);
if (process.argv.includes('--check')) {
  if (next !== readme) {
    console.error(
      'the error table of README.md is not that of packages/archive/src/errors.ts: run node scripts/error-table.mjs',
    );
    process.exit(1);
  }
} else writeFileSync('README.md', next);
