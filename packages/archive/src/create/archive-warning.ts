/** What creating an archive or comparing trees could not do in full and went on without. */

/**
 * `socket-skipped`: tar has no form for sockets. `vanished`: gone between listing and reading. `file-grew`: cut at the
 * size in its header. `file-shrank`: filled with zeros up to it. `xattr-skipped`: an attribute's name has a `=`,
 * which tar cannot express. `owner-record-invalid`: what is on disk counts instead. `xattrs-unavailable`: neither the addon nor getfattr is there, so no attribute is stored (reported once, path empty).
 */
export type ArchiveWarningKind =
  | 'socket-skipped'
  | 'vanished'
  | 'file-grew'
  | 'file-shrank'
  | 'xattr-skipped'
  | 'owner-record-invalid'
  | 'xattrs-unavailable';

export interface ArchiveWarning {
  readonly kind: ArchiveWarningKind;
  /** Path in the tree; UTF-8 where it is valid, latin-1 otherwise. */
  readonly path: string;
  /** One sentence for a log. */
  readonly message: string;
}

export type OnArchiveWarning = (warning: ArchiveWarning) => void;

const MESSAGE: Readonly<Record<ArchiveWarningKind, string>> = {
  'socket-skipped': 'sockets cannot be archived and are left out',
  vanished: 'the object was removed while the tree was read and is left out',
  'file-grew': 'the file grew while it was read and is cut at its first size',
  'file-shrank': 'the file shrank while it was read and is filled with zeros to its first size',
  'xattr-skipped': 'an extended attribute has a "=" in its name and is left out',
  'owner-record-invalid':
    'the record of its owner is malformed and is ignored: owner and mode are those on disk',
  'xattrs-unavailable':
    'extended attributes are not stored: install getfattr (Debian package attr) or build the native addon',
};

/** @param path as shown to people */
export function archiveWarning(kind: ArchiveWarningKind, path: string): ArchiveWarning {
  return { kind, path, message: MESSAGE[kind] };
}
