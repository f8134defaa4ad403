import { formatSize } from '@x/archive';
import type { ConsoleIo } from './console-io.js';

const REDRAW_MILLISECONDS = 100;
const BAR_WIDTH = 24;

/** One line on the terminal that shows how far a layer is; nothing at all where standard error is not a terminal. */
export class ProgressLine implements Disposable {
  readonly #io: ConsoleIo;
  readonly #label: string;
  readonly #total: number | undefined;
  readonly #started = Date.now();
  readonly #shown: boolean;
  #drawn = 0;

  constructor(io: ConsoleIo, label: string, total: number | undefined, quiet: boolean) {
    this.#io = io;
    this.#label = label;
    this.#total = total;
    this.#shown = !quiet && io.stderr.isTTY === true;
  }

  update(bytes: number): void {
    if (!this.#shown) return;
    const now = Date.now();
    if (now - this.#drawn < REDRAW_MILLISECONDS) return;
    this.#drawn = now;
    const rate = formatSize(bytes / Math.max((now - this.#started) / 1000, 0.001));
    const done = this.#total === undefined ? '' : `${bar(bytes / this.#total)} `;
    const text = `${this.#label} ${done}${formatSize(bytes)} ${rate}/s`;
    this.#io.stderr.write(`\r${text.slice(0, (this.#io.stderr.columns ?? 80) - 1)}\u001b[K`);
  }

  [Symbol.dispose](): void {
    if (this.#drawn > 0) this.#io.stderr.write('\r\u001b[K');
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}
