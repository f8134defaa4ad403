/** Which compression a stream has, told from its first bytes, and the file extensions that go with each. */

/** The compressions of container layers. `none` is a plain tar (or anything that no signature matches). */
export type Compression = 'none' | 'bzip2' | 'gzip' | 'xz' | 'zstd';

/** How many leading bytes {@link detectCompression} may need; more do no harm. */
export const DETECTION_BYTES = 10;

interface Signature {
  readonly kind: Compression;
  readonly matches: (head: Uint8Array) => boolean;
}

function startsWith(...magic: readonly number[]): (head: Uint8Array) => boolean {
  return (head) => head.length >= magic.length && magic.every((byte, index) => head[index] === byte);
}

/**
 * A skippable frame may lead a zstd stream: little-endian 0x184D2A50..0x184D2A5F, then four bytes of length, so fewer
 * than eight bytes cannot be one (RFC 8878 section 3.1.2).
 */
function startsWithSkippableFrame(head: Uint8Array): boolean {
  return (
    head.length >= 8 &&
    head[0] !== undefined &&
    (head[0] & 0xf0) === 0x50 &&
    head[1] === 0x2a &&
    head[2] === 0x4d &&
    head[3] === 0x18
  );
}

/** Tried in this order, always: no two signatures share a prefix today, and a new one must not change old answers. */
const SIGNATURES: readonly Signature[] = [
  { kind: 'bzip2', matches: startsWith(0x42, 0x5a, 0x68) },
  { kind: 'gzip', matches: startsWith(0x1f, 0x8b, 0x08) },
  { kind: 'xz', matches: startsWith(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00) },
  { kind: 'zstd', matches: startsWith(0x28, 0xb5, 0x2f, 0xfd) },
  { kind: 'zstd', matches: startsWithSkippableFrame },
];

/** The compression whose signature `head` starts with. Input shorter than a signature does not match it; never throws. */
export function detectCompression(head: Uint8Array): Compression {
  return SIGNATURES.find((signature) => signature.matches(head))?.kind ?? 'none';
}

const EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ['none', 'tar'],
  ['bzip2', 'tar.bz2'],
  ['gzip', 'tar.gz'],
  ['xz', 'tar.xz'],
  ['zstd', 'tar.zst'],
]);

/** The file extension, without a leading dot, of a tar with this compression; empty for an unknown one. */
export function compressionExtension(kind: string): string {
  return EXTENSIONS.get(kind) ?? '';
}
