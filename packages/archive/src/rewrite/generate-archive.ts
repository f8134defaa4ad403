import { END_OF_ARCHIVE } from '../tar/layout.js';
import { encodeEntry } from './rewrite-archive.js';

const FILE_MODE = 0o644;

/**
 * A minimal tar of regular files with the given names and contents (text as UTF-8): mode 0644, owner 0:0, the epoch as
 * time, so that equal input gives equal bytes. For tests, image configurations and other things that fit in memory.
 * @throws ARCHIVE_HEADER_UNENCODABLE for a name that no tar can have
 */
export function generateArchive(
  files: Iterable<readonly [name: string, content: string | Uint8Array]>,
): Uint8Array {
  const entries = Array.from(files, ([name, content]) =>
    encodeEntry({
      header: {
        kind: 'file',
        name: Buffer.from(name),
        mode: FILE_MODE,
        uid: 0,
        gid: 0,
        mtime: { seconds: 0, nanoseconds: 0 },
      },
      content: typeof content === 'string' ? Buffer.from(content) : content,
    }),
  );
  return Buffer.concat([...entries, END_OF_ARCHIVE]);
}
