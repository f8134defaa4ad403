import type { ByteSource } from '../byte-source.js';
import { EntryBody } from '../interop/entry-body.js';
import { TarEvents } from '../interop/tar-events.js';
import { assertAsyncIterable, assertFunction, assertKnownKeys, assertSignal } from '../options/validate.js';
import type { TarHeader } from '../tar/entry.js';
import { encodeTarHeader } from '../tar/header-encode.js';
import type { TarHeaderInit } from '../tar/header-init.js';
import { BLOCK_SIZE, END_OF_ARCHIVE, tarPadding } from '../tar/layout.js';
import type { TarLimits } from '../tar/limits.js';

/** An entry to write; its size is that of the content. */
export interface ReplacementEntry {
  readonly header: Omit<TarHeaderInit, 'size'>;
  readonly content: Uint8Array;
}

/** The entry a modifier is called for. The body may be read while the modifier runs. */
export interface MatchedEntry {
  readonly header: TarHeader;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Says what stands in the place of an entry: another entry (of the same name or not), or `undefined` for none. Called
 * with `undefined` at the end when the archive has no entry of that name; what it gives then is appended.
 */
export type EntryModifier = (
  entry: MatchedEntry | undefined,
) => ReplacementEntry | undefined | Promise<ReplacementEntry | undefined>;

export interface RewriteOptions {
  readonly limits?: TarLimits;
  readonly signal?: AbortSignal;
}

/**
 * Replaces, drops, renames and appends entries of an uncompressed tar while it streams by. All other bytes, including
 * header formats, padding and whatever follows the end marker, pass unchanged. Every entry that has the name is
 * modified. Keys are names as in the archive, text as UTF-8 (no cleaning: `./a` is not `a`).
 * @throws the codes of `TarReader` and `encodeTarHeader`, what a modifier throws, the source's own error, the signal's
 * reason; OPTION_INVALID, OPTION_UNKNOWN at once
 */
export function rewriteArchive(
  source: ByteSource,
  modifiers: ReadonlyMap<string, EntryModifier>,
  options: RewriteOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  assertAsyncIterable('rewriteArchive', 'source', source);
  assertKnownKeys('rewriteArchive', options, ['limits', 'signal']);
  if (options.signal !== undefined) assertSignal('rewriteArchive', 'signal', options.signal);
  for (const [name, modifier] of modifiers)
    assertFunction('rewriteArchive', `modifiers["${name}"]`, modifier);
  return new ArchiveRewriter(source, modifiers, options).run();
}

/** The blocks of one entry: header, content, padding. */
export function encodeEntry({ header, content }: ReplacementEntry): Uint8Array {
  const head = encodeTarHeader({ ...header, size: content.byteLength }, { subSecondTimes: true });
  return Buffer.concat([head, content, new Uint8Array(tarPadding(content.byteLength))]);
}

class ArchiveRewriter {
  readonly #events: TarEvents;
  readonly #modifiers: Map<string, EntryModifier>;
  readonly #unmatched: Set<string>;
  /** Raw bytes since the last payload: padding, then extended headers and a header, or the end marker. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** What is held is known to begin with a header. */
  #headed = false;
  /** Padding of the last entry that has not come by yet, and whether it is passed on. */
  #padding = 0;
  #passPadding = true;
  /** Bytes since the end marker began; `undefined` before it. */
  #trailer: number | undefined;
  #changed = false;

  constructor(source: ByteSource, modifiers: ReadonlyMap<string, EntryModifier>, options: RewriteOptions) {
    this.#events = new TarEvents(source, options.limits, options.signal);
    // Header names are bytes, and latin-1 text is bytes that can be a key.
    const keyed = [...modifiers].map(
      ([name, modifier]) => [Buffer.from(name).toString('latin1'), modifier] as const,
    );
    this.#modifiers = new Map(keyed);
    this.#unmatched = new Set(this.#modifiers.keys());
  }

  async *run(): AsyncGenerator<Uint8Array, void, undefined> {
    await using events = this.#events;
    for (let event = await events.next(); event !== undefined; event = await events.next()) {
      if (event.type === 'raw') yield* this.#raw(event.bytes);
      else if (event.type === 'header') yield* this.#entry(event.header);
      else if (event.type === 'payload') yield event.bytes;
    }
    yield* this.#finish();
  }

  async *#raw(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#trailer !== undefined) {
      this.#trailer += bytes.byteLength;
      yield bytes;
      return;
    }
    const padding = bytes.subarray(0, this.#padding);
    this.#padding -= padding.byteLength;
    if (this.#passPadding && padding.byteLength > 0) yield padding;
    const rest = bytes.subarray(padding.byteLength);
    if (rest.byteLength === 0) return;
    this.#held.push(rest);
    this.#heldBytes += rest.byteLength;
    if (this.#headed || this.#heldBytes < BLOCK_SIZE) return;
    const held = this.#takeHeld();
    // A block of NULs where a header belongs is the end marker. What follows may be long, so it is not held.
    if (held.subarray(0, BLOCK_SIZE).some((byte) => byte !== 0)) {
      this.#held = [held];
      this.#heldBytes = held.byteLength;
      this.#headed = true;
      return;
    }
    this.#trailer = held.byteLength;
    yield* this.#appended();
    yield held;
  }

  async *#entry(header: TarHeader): AsyncGenerator<Uint8Array, void, undefined> {
    const name = Buffer.from(header.name).toString('latin1');
    const modifier = header.kind === 'global' ? undefined : this.#modifiers.get(name);
    this.#padding = tarPadding(header.payloadSize);
    this.#passPadding = modifier === undefined;
    const held = this.#takeHeld();
    if (modifier === undefined) {
      yield held;
      return;
    }
    this.#unmatched.delete(name);
    this.#changed = true;
    const body = new EntryBody(this.#events);
    const replacement = await modifier({ header, body });
    await body.skip();
    if (replacement !== undefined) yield encodeEntry(replacement);
  }

  /** Entries of modifiers that met nothing, in the order they were given. */
  async *#appended(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const name of this.#unmatched) {
      const entry = await this.#modifiers.get(name)?.(undefined);
      if (entry === undefined) continue;
      this.#changed = true;
      yield encodeEntry(entry);
    }
    this.#unmatched.clear();
  }

  /** The archive ended. One that has lost its padding or end marker gets them only if something was changed. */
  async *#finish(): AsyncGenerator<Uint8Array, void, undefined> {
    let padding = this.#passPadding ? this.#padding : 0;
    const ended = this.#trailer ?? 0;
    for await (const entry of this.#appended()) {
      if (padding > 0) yield new Uint8Array(padding);
      padding = 0;
      yield entry;
    }
    // Extended headers of an entry that never came; behind the appended ones, which they must not change.
    if (this.#heldBytes > 0) yield this.#takeHeld();
    if (!this.#changed || ended >= END_OF_ARCHIVE.byteLength) return;
    if (padding > 0) yield new Uint8Array(padding);
    yield END_OF_ARCHIVE.subarray(ended);
  }

  #takeHeld(): Uint8Array {
    const [first = new Uint8Array(0), ...more] = this.#held;
    const held = more.length === 0 ? first : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#headed = false;
    return held;
  }
}
