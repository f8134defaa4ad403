/** GNU sparse files described by pax records: which version, name, size and map (GNU tar manual, "Sparse Formats"). */
import { LayerStoreError } from '../errors.js';
import { latin1 } from './bytes.js';
import type { SparseFragment } from './entry.js';
import { paxSize } from './extended-header.js';
import type { DecodedHeader } from './header-decode.js';
import { PAX_SPARSE_MAP, PAX_SPARSE_PREFIX } from './pax-records.js';
import { isValidSparseMap, parsePaxSparseMap, storedLength } from './sparse-map.js';

const BLOCKS = `${PAX_SPARSE_PREFIX}numblocks`;
const MAJOR = `${PAX_SPARSE_PREFIX}major`;
const MINOR = `${PAX_SPARSE_PREFIX}minor`;
const NAME = `${PAX_SPARSE_PREFIX}name`;
const SIZE = `${PAX_SPARSE_PREFIX}size`;
const REAL_SIZE = `${PAX_SPARSE_PREFIX}realsize`;

/** Where the map is: in the records (0.0, 0.1), in front of the data (1.0), or nowhere: not a sparse file. */
export type PaxSparseVersion = 'none' | 'in-records' | 'in-data';

/** An unknown version means an ordinary file, whose payload is then what the archive stores. */
export function paxSparseVersion(records: ReadonlyMap<string, Uint8Array>): PaxSparseVersion {
  if (records.size === 0) return 'none';
  const major = textOf(records, MAJOR);
  const minor = textOf(records, MINOR);
  if (major === '0' && (minor === '0' || minor === '1')) return 'in-records';
  if (major === '1' && minor === '0') return 'in-data';
  if (major !== '' || minor !== '') return 'none';
  return textOf(records, PAX_SPARSE_MAP) === '' ? 'none' : 'in-records';
}

/** The start of a value, '' when there is none: enough to tell version numbers apart. */
function textOf(records: ReadonlyMap<string, Uint8Array>, key: string): string {
  const value = records.get(key);
  return value === undefined ? '' : latin1(value, 0, Math.min(value.length, 8));
}

/**
 * Makes `header` the sparse file that its records describe: real name and logical size. The map is set later.
 * @throws ARCHIVE_INVALID_PAX, ARCHIVE_SIZE_UNSUPPORTED
 */
export function applyPaxSparse(header: DecodedHeader, offset: number): void {
  const name = header.pax.get(NAME);
  if (name !== undefined && name.length > 0) header.name = name;
  for (const key of [SIZE, REAL_SIZE]) {
    const size = header.pax.get(key);
    if (size === undefined || size.length === 0) continue;
    header.size = paxSize(key, size, offset);
    break;
  }
  header.kind = 'sparse';
}

/** The map of formats 0.0 and 0.1. @throws ARCHIVE_INVALID_SPARSE */
export function sparseMapOfRecords(
  records: ReadonlyMap<string, Uint8Array>,
  offset: number,
): SparseFragment[] {
  const map = parsePaxSparseMap(records.get(BLOCKS), records.get(PAX_SPARSE_MAP));
  if (map === undefined) throw invalidSparse(offset, 'has a malformed sparse map');
  return map;
}

export function invalidSparse(offset: number, what: string): LayerStoreError {
  return new LayerStoreError(
    'ARCHIVE_INVALID_SPARSE',
    `tar header at byte ${offset} ${what}; rebuild the archive`,
    { offset },
  );
}

/**
 * Checks a map against the header it belongs to and sets it.
 * @throws ARCHIVE_INVALID_SPARSE, ARCHIVE_LIMIT_EXCEEDED
 */
export function setSparseMap(
  header: DecodedHeader,
  map: readonly SparseFragment[],
  maxLogicalSize: number,
  offset: number,
): void {
  if (!isValidSparseMap(map, header.size)) {
    throw invalidSparse(offset, 'has a sparse map that is out of order, overlaps or exceeds the file size');
  }
  if (storedLength(map) !== header.payloadSize) {
    throw invalidSparse(offset, 'stores more or fewer bytes than its sparse map says');
  }
  if (header.size > maxLogicalSize) {
    throw new LayerStoreError(
      'ARCHIVE_LIMIT_EXCEEDED',
      `sparse file at byte ${offset} expands to ${header.size} bytes, over the limit of ${maxLogicalSize}`,
      { offset },
    );
  }
  header.sparse = map;
}
