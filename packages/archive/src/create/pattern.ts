/** One exclude pattern: its syntax and the expression it stands for (spec/layer-archive.md 4.3). */
import { LayerStoreError } from '../errors.js';

export interface Pattern {
  /** Lexically clean, without the leading `!`. */
  readonly text: string;
  /** Written with a leading `!`: what it matches is included again. */
  readonly exception: boolean;
  readonly matches: (path: string) => boolean;
}

/**
 * `*` any run without `/`; `?` one character but `/`; `**` any number of path elements (at the end: everything below;
 * `**\/x` also matches `x`); `[...]`, `[^...]` character classes; `\` takes the next character literally.
 * @returns undefined for a blank pattern
 * @throws ARCHIVE_PATTERN_INVALID
 */
export function compilePattern(source: string): Pattern | undefined {
  const trimmed = source.trim();
  if (trimmed === '') return undefined;
  const exception = trimmed.startsWith('!');
  const body = exception ? trimmed.slice(1) : trimmed;
  if (body === '') throw invalid(source, 'an exception names nothing');
  const text = cleanPath(body);
  const expression = new RegExp(`^${translate(text, source)}$`, 'su');
  return { text, exception, matches: (path) => expression.test(path) };
}

/** Resolves `.`, `..` and repeated slashes lexically; never empty (`.`), no trailing slash. */
export function cleanPath(path: string): string {
  const rooted = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept[kept.length - 1] !== '..') kept.pop();
    else if (!rooted) kept.push('..');
  }
  const joined = kept.join('/');
  if (rooted) return `/${joined}`;
  return joined === '' ? '.' : joined;
}

const SPECIAL = /[\\^$.*+?()[\]{}|/]/;

function literal(character: string): string {
  return SPECIAL.test(character) ? `\\${character}` : character;
}

function translate(text: string, source: string): string {
  const characters = Array.from(text);
  let expression = '';
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (character === '*') {
      if (characters[index + 1] !== '*') {
        expression += '[^/]*';
        continue;
      }
      while (characters[index + 1] === '*') index++;
      if (characters[index + 1] === '/') index++;
      expression += index + 1 >= characters.length ? '.*' : '(?:.*/)?';
    } else if (character === '?') {
      expression += '[^/]';
    } else if (character === '\\') {
      const next = characters[++index];
      if (next === undefined) throw invalid(source, 'it ends in a backslash');
      expression += literal(next);
    } else if (character === '[') {
      const end = classEnd(characters, index, source);
      expression += characterClass(characters.slice(index + 1, end), source);
      index = end;
    } else {
      expression += literal(character);
    }
  }
  return expression;
}

/** Index of the bracket that closes the class opened at `start`. */
function classEnd(characters: readonly string[], start: number, source: string): number {
  for (let index = start + 1; index < characters.length; index++) {
    if (characters[index] === '\\') index++;
    else if (characters[index] === ']') return index;
  }
  throw invalid(source, 'a character class is not closed');
}

function characterClass(members: readonly string[], source: string): string {
  const negated = members[0] === '^';
  let body = '';
  let index = negated ? 1 : 0;
  if (index >= members.length) throw invalid(source, 'a character class is empty');
  const member = (): string => {
    let character = members[index++];
    if (character === '\\') character = members[index++];
    if (character === undefined || character === '-')
      throw invalid(source, 'a character range is incomplete');
    return character;
  };
  while (index < members.length) {
    const low = member();
    const range = members[index] === '-';
    if (range) index++;
    const high = range ? member() : low;
    if ((low.codePointAt(0) ?? 0) > (high.codePointAt(0) ?? 0))
      throw invalid(source, 'a range runs backwards');
    body += range ? `${classLiteral(low)}-${classLiteral(high)}` : classLiteral(low);
  }
  return negated ? `[^/${body}]` : `(?!/)[${body}]`;
}

function classLiteral(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}

function invalid(source: string, why: string): LayerStoreError {
  return new LayerStoreError('ARCHIVE_PATTERN_INVALID', `exclude pattern "${source}": ${why}`, {
    option: 'excludePatterns',
  });
}
