/** A list of exclude patterns, applied in order while a tree is walked. */
import { compilePattern, type Pattern } from './pattern.js';

/** Which patterns matched a directory, to be handed to the match of what is in it. */
export type ParentMatches = readonly boolean[];

export interface MatchResult {
  readonly excluded: boolean;
  readonly parentMatches: ParentMatches;
}

/**
 * The last pattern that matches wins. A pattern that matches a directory matches all below it; those results are passed
 * down the walk, one per pattern, because an exception for a child must not undo what another pattern says
 * of its parent (moby `4555d3aa54`).
 */
export class PatternMatcher {
  readonly #patterns: readonly Pattern[];
  readonly #exceptions: boolean;

  /** @throws ARCHIVE_PATTERN_INVALID for the first malformed pattern */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compilePattern).filter((pattern) => pattern !== undefined);
    this.#exceptions = this.#patterns.some((pattern) => pattern.exception);
  }

  /** True when nothing can be excluded. */
  get empty(): boolean {
    return this.#patterns.length === 0;
  }

  /**
   * @param path clean, relative, as text; `.` is never excluded
   * @param parent the result of the directory that holds it; undefined at the top
   */
  match(path: string, parent: ParentMatches | undefined): MatchResult {
    const parentMatches: boolean[] = [];
    let excluded = false;
    for (const [index, pattern] of this.#patterns.entries()) {
      const matched = path !== '.' && (parent?.[index] === true || pattern.matches(path));
      parentMatches.push(matched);
      if (matched) excluded = !pattern.exception;
    }
    return { excluded, parentMatches };
  }

  /** The same without a walk: every parent of the path is looked at. */
  excludes(path: string): boolean {
    let parent: ParentMatches | undefined;
    let excluded = false;
    const parts = path.split('/');
    for (let length = 1; length <= parts.length; length++) {
      const result = this.match(parts.slice(0, length).join('/'), parent);
      parent = result.parentMatches;
      excluded = result.excluded;
    }
    return excluded;
  }

  /** An excluded directory has to be entered all the same when an exception may name something in it. */
  mayHoldExceptions(directory: string): boolean {
    return (
      this.#exceptions &&
      this.#patterns.some((pattern) => pattern.exception && `${pattern.text}/`.startsWith(`${directory}/`))
    );
  }
}
