/**
 * Notices a decoder that stops working (SEC-49). Time counts only while somebody waits for output and the decoder has
 * what it needs, so that neither a slow download nor a slow consumer is mistaken for a stall.
 */
export class StallWatch {
  readonly #milliseconds: number;
  readonly #onStall: () => void;
  #timer: NodeJS.Timeout | undefined;
  #wanted = false;
  #fed = false;

  constructor(milliseconds: number, onStall: () => void) {
    this.#milliseconds = milliseconds;
    this.#onStall = onStall;
  }

  /** Whether the consumer waits for output. */
  set wanted(wanted: boolean) {
    this.#wanted = wanted;
    this.progress();
  }

  /** Whether the decoder has input to work on, or has been told that there is no more. */
  set fed(fed: boolean) {
    this.#fed = fed;
    this.progress();
  }

  /** The decoder did something: time starts anew. */
  progress(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#wanted || !this.#fed || !Number.isFinite(this.#milliseconds)) return;
    this.#timer = setTimeout(this.#onStall, this.#milliseconds);
  }

  stop(): void {
    this.#wanted = false;
    this.progress();
  }
}
