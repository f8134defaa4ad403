// Adds up Jest's closing lines of several runs: the skips, if any, on a line, and last `N passed, N failed`.
import { readFileSync } from 'node:fs';

const totals = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tests:'));
  const last = lines.at(-1);
  if (last === undefined) throw new Error(`${file} has no closing line of a test run`);
  for (const kind of Object.keys(totals)) {
    totals[kind] += Number(new RegExp(`(\\d+) ${kind}`).exec(last)?.[1] ?? 0);
  }
}
if (totals.skipped > 0) console.log(`${totals.skipped} skipped`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
if (totals.failed > 0 || totals.passed === 0) process.exit(1);
