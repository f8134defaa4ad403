import { Buffer } from 'node:buffer';
import { type TarEntryInput, TarReader, type TarTime, type TarXattr, writeTar } from '@x/archive';
import { type LayerSource, layerSource } from '@x/layer-store';

/** Metadata of an entry of a layer. Times are nanoseconds since the epoch. */
export interface EntryMetadata {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: bigint;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** A fixed time, so that what a layer says does not depend on when the check runs. */
export const LAYER_TIME: bigint = 1_600_000_000_000_000_000n;

/** Entries of layers, as image builders write them. Names have no leading slash; a directory's gets its trailing one here. */
export const layerEntry = {
  file: (name: string, content: string | Uint8Array, metadata: EntryMetadata = {}): TarEntryInput => {
    const body = Buffer.from(content);
    return { header: { ...header('file', name, { mode: 0o644, ...metadata }), size: body.length }, body };
  },
  directory: (name: string, metadata: EntryMetadata = {}): TarEntryInput => ({
    header: header('directory', `${name}/`, { mode: 0o755, ...metadata }),
  }),
  symbolicLink: (name: string, target: string, metadata: EntryMetadata = {}): TarEntryInput => ({
    header: { ...header('symlink', name, { mode: 0o777, ...metadata }), linkName: Buffer.from(target) },
  }),
  hardLink: (name: string, target: string, metadata: EntryMetadata = {}): TarEntryInput => ({
    header: { ...header('hardlink', name, { mode: 0o644, ...metadata }), linkName: Buffer.from(target) },
  }),
  device: (
    name: string,
    kind: 'char' | 'block',
    [deviceMajor, deviceMinor]: readonly [major: number, minor: number],
    metadata: EntryMetadata = {},
  ): TarEntryInput => ({
    header: { ...header(kind, name, { mode: 0o600, ...metadata }), deviceMajor, deviceMinor },
  }),
  fifo: (name: string, metadata: EntryMetadata = {}): TarEntryInput => ({
    header: header('fifo', name, { mode: 0o644, ...metadata }),
  }),
  /** `.wh.name`: what lower layers have there is gone. */
  whiteout: (name: string): TarEntryInput => {
    const at = name.lastIndexOf('/') + 1;
    return layerEntry.file(`${name.slice(0, at)}.wh.${name.slice(at)}`, '', { mode: 0 });
  },
  /** `.wh..wh..opq`: the directory shows nothing of what lower layers have in it. */
  opaque: (directory: string): TarEntryInput =>
    layerEntry.file(`${directory === '' ? '' : `${directory}/`}.wh..wh..opq`, '', { mode: 0 }),
} as const;

/** The tar of a layer. The same entries give the same bytes. */
export async function layerBytes(...entries: readonly TarEntryInput[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A layer for `applyDiff`; it can be unpacked once. */
export async function layerOf(...entries: readonly TarEntryInput[]): Promise<LayerSource> {
  return sourceOf(await layerBytes(...entries));
}

/** Bytes as a layer for `applyDiff`. */
export function sourceOf(bytes: Uint8Array): LayerSource {
  return layerSource(inChunks(bytes));
}

const CHUNK = 64 * 1024;

/** Bytes as a stream. */
export async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

/** Everything a stream gives. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function header(
  kind: TarEntryInput['header']['kind'],
  name: string,
  metadata: EntryMetadata,
): TarEntryInput['header'] {
  const {
    mode = 0,
    uid = process.getuid?.() ?? 0,
    gid = process.getgid?.() ?? 0,
    mtime = LAYER_TIME,
  } = metadata;
  return {
    kind,
    name: Buffer.from(name),
    mode,
    uid,
    gid,
    mtime: timeOf(mtime),
    xattrs: xattrsOf(metadata.xattrs),
  };
}

function timeOf(nanoseconds: bigint): TarTime {
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((nanoseconds - fraction) / 1_000_000_000n), nanoseconds: Number(fraction) };
}

function xattrsOf(xattrs: EntryMetadata['xattrs'] = {}): TarXattr[] {
  return Object.entries(xattrs).map(([name, value]) => ({
    name: Buffer.from(name),
    value: Buffer.from(value),
  }));
}

/** The names in a layer, in its order, directories with their slash. */
export function entryNames(layer: Uint8Array): readonly string[] {
  const names: string[] = [];
  const ignore = (): void => {};
  const reader = new TarReader({
    raw: ignore,
    header: ({ name }) => {
      names.push(Buffer.from(name).toString('latin1'));
    },
    payload: ignore,
    entryEnd: ignore,
  });
  reader.write(layer);
  reader.end();
  return names;
}
