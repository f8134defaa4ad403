/** The gatherer of the addon: a whole plan per call, read and checked in C++ on a thread of its own. */

import type { NativeCalls, NativeGatherer as NativeReader } from '@x/native';
import { LayerStoreError } from '../errors.js';
import type { Gatherer } from './gather.js';
import { nativeFailure } from './native-failure.js';

/** Opens the addon's gatherer. Fails with ARCHIVE_IO when a root is not a directory. */
export function openNativeGatherer(calls: NativeCalls, roots: readonly string[]): Gatherer {
  try {
    return new NativeGatherer(new calls.NativeGatherer(roots));
  } catch (error) {
    throw nativeFailure(error);
  }
}

class NativeGatherer implements Gatherer {
  readonly #reader: NativeReader;
  /** Calls run one after the other, whatever their callers do. */
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(reader: NativeReader) {
    this.#reader = reader;
  }

  async gather(plan: Uint8Array, out: Uint8Array): Promise<void> {
    if (this.#closing !== undefined) {
      throw new LayerStoreError('STORE_INVARIANT', 'the gatherer is closed; please report it');
    }
    const reading = this.#reader.gather(plan, out);
    this.#last = reading.catch(() => undefined);
    try {
      await reading;
    } catch (error) {
      throw nativeFailure(error);
    }
  }

  close(): Promise<void> {
    // The thread is joined on this one, so it must be idle first.
    this.#closing ??= this.#last.then(() => this.#reader.close());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
