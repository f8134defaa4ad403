import type { Buffer } from 'node:buffer';
import { ChunkPool, type Gatherer, GatherPlan, isLayerStoreError, LayerStoreError } from '@x/archive';
import { TYPE_SEGMENT } from './entry.js';
import { pathInLayer } from './entry-name.js';
import { inflateTarSplit, type TarSplitSource } from './reader.js';
import { NEED_MORE, TarSplitScanner } from './scanner.js';

/** Size of the buffers that are yielded: what the hash takes at once without a noticeable pause of the main thread. */
const OUTPUT_SIZE = 1024 * 1024;
/** Buffers the gatherer has at a time: it goes on with the second while the first is hashed and the next one laid out. */
const READ_AHEAD = 2;
/** Those, one being laid out, one withheld until the digest is right, one with the consumer. */
const POOL_BUFFERS = READ_AHEAD + 3;

/** Where {@link assembleTar} gets its buffers from when the consumer hands them back. */
export function assemblyPool(): ChunkPool {
  return new ChunkPool(OUTPUT_SIZE, POOL_BUFFERS);
}

export interface AssembleOptions {
  readonly signal?: AbortSignal;
  /** Made by {@link assemblyPool}; chunks may be given back to it. Without one, every chunk is a fresh buffer. */
  readonly pool?: ChunkPool;
  /** Named in errors. */
  readonly chainId?: string;
}

/** An output buffer and what has still to be read into it. */
interface Piece {
  readonly out: Buffer;
  readonly length: number;
  readonly plan: GatherPlan;
}

/** A piece with the gatherer. */
interface Filling {
  readonly piece: Piece;
  readonly done: Promise<void>;
}

/**
 * Streams a layer back byte for byte from its tar-split record and its files. Chunks belong to the consumer, who may give
 * them back to the pool. While the consumer looks at chunk N, the gatherer fills the {@link READ_AHEAD} behind it. The
 * gatherer is not closed. Fails with TAR_SPLIT_INVALID, ARCHIVE_IO, and ARCHIVE_FILE_CORRUPT when a file is not the one
 * that was unpacked.
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
  const { signal, pool = assemblyPool() } = options;
  const layout = new Layout(pool);
  const filling: Filling[] = [];
  const oldest = async (): Promise<Uint8Array> => {
    const [first] = filling;
    if (first === undefined) throw new LayerStoreError('STORE_INVARIANT', 'nothing is being assembled');
    await first.done;
    filling.shift();
    signal?.throwIfAborted();
    const { out, length, plan } = first.piece;
    layout.recycle(plan);
    pool.lend(out);
    return out.subarray(0, length);
  };
  try {
    for await (const piece of layOut(source, layout, signal)) {
      const ready = filling.length === READ_AHEAD ? await oldest() : undefined;
      filling.push(fill(gatherer, piece));
      if (ready !== undefined) yield ready;
      signal?.throwIfAborted();
    }
    while (filling.length > 0) yield await oldest();
  } catch (error) {
    throw withChain(error, options.chainId);
  } finally {
    // The gatherer writes into our buffers: it must be done before the caller closes it.
    await Promise.allSettled(filling.map(({ done }) => done));
  }
}

function fill(gatherer: Gatherer, piece: Piece): Filling {
  const done = piece.plan.empty ? Promise.resolve() : gatherer.gather(piece.plan.bytes(), piece.out);
  // Awaited when its turn comes; until then a rejection must not count as unhandled.
  done.catch(() => undefined);
  return { piece, done };
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
  layout: Layout,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece, void, undefined> {
  const scanner = new TarSplitScanner();
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
  readonly #pool: ChunkPool;
  readonly #idlePlans: GatherPlan[] = [];
  #plan: GatherPlan = new GatherPlan();
  #out: Buffer;
  #length = 0;

  constructor(pool: ChunkPool) {
    this.#pool = pool;
    this.#out = pool.take();
  }

  /** The gatherer is done with a plan. */
  recycle(plan: GatherPlan): void {
    plan.reset();
    this.#idlePlans.push(plan);
  }

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
    this.#out = this.#pool.take();
    this.#length = 0;
    this.#plan = this.#idlePlans.pop() ?? new GatherPlan();
    return piece;
  }
}
