/** How much of the console is kept for the report of a guest that died: a kernel's stack trace and what came before. */
const KEPT_CHARACTERS = 16_384;

/** What the guest's console said last, and whether the kernel panicked. Fed piece by piece; memory is bounded. */
export class ConsoleTail {
  #text = '';
  #panic: string | undefined;

  /** Gives the piece with the line ends of a file, ready to be shown. */
  add(piece: string): string {
    const plain = piece.replaceAll('\r', '');
    this.#text += plain;
    // Looked for in the whole tail, as the line may have come in two pieces; before the cut, which keeps the line in any case.
    this.#panic ??= /^.*(Kernel panic - not syncing.*)\n/m.exec(this.#text)?.[1];
    this.#text = this.#text.slice(-KEPT_CHARACTERS);
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
