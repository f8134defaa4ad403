import { Buffer } from 'node:buffer';
import { type Gatherer, GatherPlan, isLayerStoreError, LayerStoreError } from '@x/archive';
import { TYPE_SEGMENT } from './entry.js';
import { pathInLayer } from './entry-name.js';
import { inflateTarSplit, type TarSplitSource } from './reader.js';
import { NEED_MORE, TarSplitScanner } from './scanner.js';

/** Size of the buffers that are yielded: what the hash takes at once without a noticeable pause of the main thread. */
const OUTPUT_SIZE = 1024 * 1024;

export interface AssembleOptions {
  readonly signal?: AbortSignal;
  /** Named in errors. */
  readonly chainId?: string;
}

/** An output buffer and what has still to be read into it. */
interface Piece {
  readonly out: Buffer;
  readonly length: number;
  readonly plan: GatherPlan;
}

/**
 * Streams a layer back byte for byte from its tar-split record and its files. Chunks are fresh buffers that belong to the
 * consumer. While the consumer looks at chunk N, the gatherer fills chunk N+1; three chunks exist at most. The gatherer
 * is not closed. Fails with TAR_SPLIT_INVALID, ARCHIVE_IO, and ARCHIVE_FILE_CORRUPT when a file is not the one that was
 * unpacked.
 *
 * @example
 * await using gatherer = await openGatherer([layerDirectory]);
 * for await (const chunk of assembleTar(path, gatherer)) hash.update(chunk);
 */
export async function* assembleTar(
  source: TarSplitSource,
  gatherer: Gatherer,
  options: AssembleOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal } = options;
  let filling: { readonly chunk: Uint8Array; readonly done: Promise<void> } | undefined;
  try {
    for await (const piece of layOut(source, signal)) {
      await filling?.done;
      signal?.throwIfAborted();
      const ready = filling?.chunk;
      filling = { chunk: piece.out.subarray(0, piece.length), done: fill(gatherer, piece) };
      // Awaited on the next turn; until then a rejection must not count as unhandled.
      filling.done.catch(() => undefined);
      if (ready !== undefined) yield ready;
      signal?.throwIfAborted();
    }
    await filling?.done;
    if (filling !== undefined) yield filling.chunk;
  } catch (error) {
    throw withChain(error, options.chainId);
  } finally {
    // The gatherer writes into our buffer: it must be done before the caller closes it.
    await filling?.done.catch(() => undefined);
  }
}

async function fill(gatherer: Gatherer, piece: Piece): Promise<void> {
  if (!piece.plan.empty) await gatherer.gather(piece.plan.bytes(), piece.out);
}

function withChain(error: unknown, chainId: string | undefined): unknown {
  if (chainId === undefined || !isLayerStoreError(error) || error.chainId !== undefined) return error;
  const { code, message, path, errno, syscall } = error;
  return new LayerStoreError(code, `${message} (layer ${chainId})`, {
    chainId,
    ...(path === undefined ? {} : { path }),
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
    cause: error,
  });
}

/** Turns the record into output buffers with the segments in place and a plan for the files between them. */
async function* layOut(
  source: TarSplitSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece, void, undefined> {
  const scanner = new TarSplitScanner();
  const layout = new Layout();
  for await (const chunk of inflateTarSplit(source, { signal })) {
    scanner.push(chunk);
    yield* layout.pieces(scanner);
  }
  scanner.end();
  yield* layout.pieces(scanner);
  const last = layout.last();
  if (last !== undefined) yield last;
}

class Layout {
  #plan: GatherPlan = new GatherPlan();
  /** Plans that were given out, oldest first. Only the last two can still be with the gatherer. */
  readonly #given: GatherPlan[] = [];
  #out: Buffer = Buffer.allocUnsafeSlow(OUTPUT_SIZE);
  #length = 0;

  *pieces(scanner: TarSplitScanner): Generator<Piece, void, undefined> {
    for (let type = scanner.next(); type !== NEED_MORE; type = scanner.next()) {
      if (type !== TYPE_SEGMENT) {
        if (scanner.size > 0) yield* this.#file(scanner);
      } else if (scanner.payloadLength <= OUTPUT_SIZE - this.#length) {
        scanner.decodePayload(this.#out, this.#length);
        this.#length += scanner.payloadLength;
      } else {
        yield* this.#longSegment(scanner.payload());
      }
    }
  }

  last(): Piece | undefined {
    return this.#length === 0 ? undefined : this.#complete();
  }

  *#longSegment(payload: Buffer): Generator<Piece, void, undefined> {
    for (let from = 0; from < payload.length; ) {
      if (this.#length === OUTPUT_SIZE) yield this.#complete();
      const count = payload.copy(this.#out, this.#length, from);
      this.#length += count;
      from += count;
    }
  }

  *#file(scanner: TarSplitScanner): Generator<Piece, void, undefined> {
    const { size } = scanner;
    const crc = scanner.payload();
    let begin: { path: Uint8Array; size: number } | undefined = { path: pathInLayer(scanner.name), size };
    for (let left = size; left > 0; ) {
      if (this.#length === OUTPUT_SIZE) yield this.#complete();
      const count = Math.min(left, OUTPUT_SIZE - this.#length);
      left -= count;
      this.#plan.read(this.#length, count, begin, left === 0 ? crc : undefined);
      this.#length += count;
      begin = undefined;
    }
  }

  #complete(): Piece {
    const piece: Piece = { out: this.#out, length: this.#length, plan: this.#plan };
    this.#out = Buffer.allocUnsafeSlow(OUTPUT_SIZE);
    this.#length = 0;
    this.#given.push(this.#plan);
    this.#plan = (this.#given.length > 2 ? this.#given.shift() : undefined) ?? new GatherPlan();
    this.#plan.reset();
    return piece;
  }
}
