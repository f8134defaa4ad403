/** Renames the top of an archive while it streams by. */
import type { ByteSource } from '../../byte-source.js';
import { LayerStoreError } from '../../errors.js';
import { readArchive } from '../../interop/read-archive.js';
import { assertAsyncIterable, assertString } from '../../options/validate.js';
import { displayName, nameBytes, nameOf, nameOfText } from '../../root/byte-name.js';
import type { EncodableKind, TarEntryInput, TarHeader, TarKind } from '../../tar/index.js';
import { writeTar } from '../../tar/index.js';

/**
 * The prefix `oldBase` of a name becomes `newBase`, at the start of the name only and only as whole components; `/` or
 * empty stands for the root, which every name begins at. Latin-1 in and out.
 */
export function rebaseEntryName(name: string, oldBase: string, newBase: string): string {
  if (oldBase === '' || oldBase === '/')
    return name.startsWith('/') ? `${newBase}${name}` : joined(newBase, name);
  if (name === oldBase) return newBase;
  return name.startsWith(`${oldBase}/`) ? `${newBase}${name.slice(oldBase.length)}` : name;
}

function joined(base: string, name: string): string {
  return base === '' || base.endsWith('/') || name === '' ? `${base}${name}` : `${base}/${name}`;
}

/**
 * Rebases names, and the targets of hard links, of an uncompressed tar. Written anew with pax headers where a new name is too
 * long for the old ones.
 * @throws OPTION_INVALID; while iterating the codes of `TarReader`, ARCHIVE_TYPE_UNSUPPORTED for sparse and unknown entries
 */
export function rebaseArchiveEntries(
  source: ByteSource,
  oldBase: string,
  newBase: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const where = 'rebaseArchiveEntries';
  assertAsyncIterable(where, 'source', source);
  assertString(where, 'oldBase', oldBase, true);
  assertString(where, 'newBase', newBase, true);
  return writeTar(rebased(source, nameOfText(oldBase), nameOfText(newBase)), { subSecondTimes: true });
}

async function* rebased(
  source: ByteSource,
  oldBase: string,
  newBase: string,
): AsyncGenerator<TarEntryInput, void, undefined> {
  for await (const { header, body } of readArchive(source)) {
    const kind = encodable(header);
    const rename = (name: Uint8Array): Uint8Array =>
      nameBytes(rebaseEntryName(nameOf(name), oldBase, newBase));
    if (kind === 'global') {
      yield { header: { kind, name: header.name, pax: header.pax } };
      continue;
    }
    yield {
      header: {
        kind,
        name: rename(header.name),
        linkName: kind === 'hardlink' ? rename(header.linkName) : header.linkName,
        mode: header.mode,
        uid: header.uid,
        gid: header.gid,
        size: kind === 'file' ? header.payloadSize : 0,
        mtime: header.mtime,
        atime: header.atime,
        ctime: header.ctime,
        userName: header.userName,
        groupName: header.groupName,
        deviceMajor: header.deviceMajor,
        deviceMinor: header.deviceMinor,
        xattrs: header.xattrs,
      },
      ...(kind === 'file' ? { body } : {}),
    };
  }
}

const UNWRITABLE: ReadonlySet<TarKind> = new Set(['sparse', 'other']);

function encodable(header: TarHeader): EncodableKind {
  if (isEncodable(header.kind)) return header.kind;
  const name = displayName(nameOf(header.name));
  throw new LayerStoreError(
    'ARCHIVE_TYPE_UNSUPPORTED',
    `cannot rename "${name}": ${header.kind} entries are not written`,
    {
      path: name,
    },
  );
}

function isEncodable(kind: TarKind): kind is EncodableKind {
  return !UNWRITABLE.has(kind);
}
