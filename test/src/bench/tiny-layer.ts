import { END_OF_ARCHIVE, encodeTarHeader } from '@x/archive';

/** A layer of one empty file: as small as a layer gets without being the empty layer. */
export async function* emptyTarWith(name: string): AsyncGenerator<Uint8Array> {
  yield encodeTarHeader({ kind: 'file', name: Buffer.from(name), mode: 0o644, size: 0 });
  yield END_OF_ARCHIVE;
}
