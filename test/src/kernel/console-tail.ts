/** How much of the console is kept for the report of a guest that died: a kernel's stack trace and what came before. */
const KEPT_CHARACTERS = 16_384;

/** The kernel's lines are shorter; of a longer one only its end is looked at. */
const LONGEST_LINE = 1024;

/** What the guest's console said last, and whether the kernel panicked. Fed piece by piece; memory is bounded. */
export class ConsoleTail {
  #text = '';
  /** The line that the next piece continues. */
  #line = '';
  #panic: string | undefined;

  /** Gives the piece with the line ends of a file, ready to be shown. */
  add(piece: string): string {
    const plain = piece.replaceAll('\r', '');
    const fresh = this.#line + plain;
    this.#panic ??= /(Kernel panic - not syncing.*)\n/.exec(fresh)?.[1];
    this.#line = fresh.slice(fresh.lastIndexOf('\n') + 1).slice(-LONGEST_LINE);
    this.#text += plain;
    if (this.#text.length > 2 * KEPT_CHARACTERS) this.#text = this.#text.slice(-KEPT_CHARACTERS);
    return plain;
  }

  /** The kernel's own words. */
  get panic(): string | undefined {
    return this.#panic;
  }

  /** The last lines. */
  lines(count: number): string[] {
    const lines = this.#text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-count);
  }
}
