import { createHash } from 'node:crypto';
import { rawEntry, rawHeader } from '../corpus/raw-tar.js';

/** What a small layer contains: a name ending in `/` is a directory. */
export type SmallTree = Readonly<
  Record<string, string | { readonly content: string; readonly mode: number }>
>;

/** A tar of a few files, and what it must come back as. */
export interface SmallLayer {
  readonly bytes: Buffer;
  readonly diffId: string;
  /** Bytes of file content. */
  readonly payload: number;
}

/** Makes a layer; the same tree gives the same bytes. */
export function smallLayer(tree: SmallTree): SmallLayer {
  const blocks: Buffer[] = [];
  let payload = 0;
  for (const [name, value] of Object.entries(tree)) {
    const { content, mode } = typeof value === 'string' ? { content: value, mode: 0o644 } : value;
    if (name.endsWith('/')) {
      blocks.push(rawHeader({ name, type: '5', mode: 0o755 }));
    } else {
      blocks.push(rawEntry({ name, mode }, content));
      payload += content.length;
    }
  }
  blocks.push(Buffer.alloc(1024));
  const bytes = Buffer.concat(blocks);
  return { bytes, diffId: sha256(bytes), payload };
}

/** A stream of the bytes in chunks of `size`. */
export async function* chunked(
  bytes: Uint8Array,
  size: number = 64 * 1024,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Everything a stream gives. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Digest in the text form of a DiffID. */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
