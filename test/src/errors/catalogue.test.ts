import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '@x/archive';

const REPOSITORY = path.resolve(import.meta.dirname, '../../..');
const SOURCES = ['native/lib', 'packages', 'test/src'];

interface Source {
  readonly file: string;
  readonly text: string;
}

function sources(): readonly Source[] {
  return SOURCES.flatMap((directory) =>
    readdirSync(path.join(REPOSITORY, directory), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/(^|\/)(dist|node_modules)\//.test(name))
      .map((name) => path.join(directory, name))
      .map((file) => ({ file, text: readFileSync(path.join(REPOSITORY, file), 'utf8') })),
  );
}

describe('the error catalogue', () => {
  const all = sources().filter(
    ({ file }) => !file.endsWith('src/errors.ts') && !file.includes('catalogue.test'),
  );
  const isTest = ({ file }: Source): boolean => file.includes('.test.');
  const names = Object.keys(ERROR_CODES);

  it('has no code that nothing throws', () => {
    const thrown = all.filter((source) => !isTest(source));
    expect(names.filter((code) => !thrown.some(({ text }) => text.includes(`'${code}'`)))).toEqual([]);
  });

  it('has no code that no test provokes', () => {
    const tests = all.filter(isTest);
    expect(names.filter((code) => !tests.some(({ text }) => text.includes(code)))).toEqual([]);
  });

  it('stands in the README, code by code', () => {
    const readme = readFileSync(path.join(REPOSITORY, 'README.md'), 'utf8');
    const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
    expect(rows.filter((row) => !readme.includes(row))).toEqual([]);
    expect([...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1])).toEqual(names);
  });
});
