/** Deterministic bytes of a file, made by {@link fileContent}. A size is zero or at least {@link SHORTEST_FILL}. */
export interface Fill {
  readonly seed: number;
  readonly size: number;
}

/**
 * One thing done to a tree through the file system. Paths are relative to the tree's root; they and link texts are the
 * latin-1 form of their bytes. Modes hold permission, setuid, setgid and sticky bits; times are nanoseconds since the epoch.
 */
export type Edit =
  | { readonly kind: 'create'; readonly path: string; readonly mode: number; readonly fill: Fill }
  /** Other bytes of the same length, in place. */
  | { readonly kind: 'overwrite'; readonly path: string; readonly fill: Fill }
  | { readonly kind: 'append'; readonly path: string; readonly fill: Fill }
  /** Shorter, or longer by a hole. */
  | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'link'; readonly path: string; readonly existing: string }
  | { readonly kind: 'fifo'; readonly path: string; readonly mode: number }
  | {
      readonly kind: 'device';
      readonly path: string;
      readonly block: boolean;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  /** As `mv -T`: where rename(2) says EXDEV, as an overlay does of a lower directory, a copy takes its place. */
  | { readonly kind: 'rename-directory'; readonly from: string; readonly to: string }
  /** The same of anything over something that is there: an object that is no directory, or an empty directory. */
  | { readonly kind: 'replace'; readonly from: string; readonly to: string }
  /** With all it holds. */
  | { readonly kind: 'remove'; readonly path: string }
  /** A directory removed with all it holds, and made again with one file: opaque in a layer. */
  | { readonly kind: 'recreate'; readonly path: string; readonly child: string; readonly fill: Fill }
  | { readonly kind: 'directory-to-file'; readonly path: string; readonly mode: number; readonly fill: Fill }
  | {
      readonly kind: 'file-to-directory';
      readonly path: string;
      readonly mode: number;
      readonly child: string;
      readonly fill: Fill;
    }
  | { readonly kind: 'mode'; readonly path: string; readonly mode: number }
  | { readonly kind: 'owner'; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly kind: 'set-xattr'; readonly path: string; readonly name: string; readonly value: string }
  | { readonly kind: 'remove-xattr'; readonly path: string; readonly name: string }
  | { readonly kind: 'times'; readonly path: string; readonly mtimeNs: bigint };

export type EditKind = Edit['kind'];

/** Bytes that hold the whole seed: contents of two seeds always differ. */
export const SHORTEST_FILL = 4;

/** The bytes that a {@link Fill} stands for. */
export function fileContent({ seed, size }: Fill): Buffer {
  const bytes = Buffer.alloc(size);
  let state = (Math.imul(seed + 1, 2_654_435_761) ^ 0x5bd1e995) >>> 0;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  if (size >= SHORTEST_FILL) bytes.writeUInt32LE(seed);
  return bytes;
}

/** An edit as one line for people. */
export function formatEdit(edit: Edit): string {
  const fields = Object.entries(edit)
    .filter(([key]) => key !== 'kind')
    .map(([key, value]) => `${key}=${formatValue(key, value)}`);
  return [edit.kind, ...fields].join(' ');
}

function formatValue(key: string, value: unknown): string {
  if (key === 'mode' && typeof value === 'number') return `0${value.toString(8)}`;
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(value) ?? '';
}
