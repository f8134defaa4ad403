import { once } from 'node:events';
import type { ConsoleIo } from './console-io.js';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
export type JsonRecord = { readonly [key: string]: JsonValue };

/** Prints results: one JSON object a line, or one line for people. */
export class Report {
  readonly #io: ConsoleIo;
  readonly #json: boolean;

  constructor(io: ConsoleIo, json: boolean) {
    this.#io = io;
    this.#json = json;
  }

  /** `line` may be several lines; an empty line prints nothing for people. */
  async record(record: JsonRecord, line: string): Promise<void> {
    const text = this.#json ? JSON.stringify(record) : line;
    if (text === '') return;
    if (!this.#io.stdout.write(`${text}\n`))
      await once(this.#io.stdout, 'drain', { signal: this.#io.signal });
  }
}
