/** What a compression codec is, and the registry that decides which one reads a stream. */
import { LayerStoreError } from '../errors.js';
import type { SourceReader } from './source-reader.js';

/** What a codec may use. All of it is settled: options are validated before a codec is called. */
export interface CodecContext {
  /** Whether helper programs may be run. */
  readonly helpers: 'on' | 'off';
  /** Absolute directories helpers are looked for in. */
  readonly helperDirectories: readonly string[];
  /** Whether `unpigz` is preferred for gzip, when helpers are on. */
  readonly pigz: boolean;
  /** Which zstd decoder to use; `auto` takes the first that is there. */
  readonly zstd: 'auto' | 'node' | 'fzstd' | 'helper';
  /** Milliseconds a helper or worker may do nothing while it could work; `Infinity` for no bound. */
  readonly stallTimeout: number;
  readonly signal: AbortSignal | undefined;
}

/** One compression format. Add your own with {@link CodecRegistry.with}. */
export interface Codec {
  /** Unique in a registry; a codec of a known kind replaces the built-in one. */
  readonly kind: string;
  /** Whether a stream with these leading bytes (up to ten) is this codec's. Must not throw. */
  matches(head: Uint8Array): boolean;
  /**
   * Decodes what `reader` gives. It must stop when the iteration is left, and throw COMPRESSION_FAILED for damaged
   * data. Limits are checked by the caller, chunk by chunk, so chunks should be 1 MiB at most.
   */
  decode(reader: SourceReader, context: CodecContext): AsyncIterable<Uint8Array>;
}

/** An immutable, ordered set of codecs; the first that matches reads the stream. */
export class CodecRegistry {
  readonly #codecs: readonly Codec[];

  constructor(codecs: readonly Codec[]) {
    const kinds = new Set(codecs.map((codec) => codec.kind));
    if (kinds.size !== codecs.length || kinds.has('none')) {
      throw new LayerStoreError(
        'OPTION_INVALID',
        'CodecRegistry: every codec needs a kind of its own, other than "none"',
        {
          option: 'codecs',
        },
      );
    }
    this.#codecs = Object.freeze([...codecs]);
  }

  /** A registry with one more codec, asked after the others, or with the codec of that kind replaced in its place. */
  with(codec: Codec): CodecRegistry {
    const known = this.#codecs.some((existing) => existing.kind === codec.kind);
    return new CodecRegistry(
      known
        ? this.#codecs.map((existing) => (existing.kind === codec.kind ? codec : existing))
        : [...this.#codecs, codec],
    );
  }

  /** The codec for a stream that starts with `head`; `undefined` when it is not compressed as far as anyone knows. */
  find(head: Uint8Array): Codec | undefined {
    return this.#codecs.find((codec) => codec.matches(head));
  }

  get kinds(): readonly string[] {
    return this.#codecs.map((codec) => codec.kind);
  }
}
