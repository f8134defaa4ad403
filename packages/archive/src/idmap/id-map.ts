import { LayerStoreError } from '../errors.js';
import { assertInteger, assertKnownKeys, invalidOption } from '../options/validate.js';

/** `size` consecutive ids: container id `containerId + n` is host id `hostId + n`. */
export interface IdRange {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

export interface IdPair {
  readonly uid: number;
  readonly gid: number;
}

export interface IdMapInit {
  readonly uids?: readonly IdRange[];
  readonly gids?: readonly IdRange[];
}

/** 2^32-1 means "no change" to chown(2), so no id may be that. */
const ID_LIMIT = 0xffff_ffff;

const WHERE = 'IdMap';

function checkedRanges(option: 'uids' | 'gids', ranges: unknown): readonly IdRange[] {
  if (ranges === undefined) return [];
  if (!Array.isArray(ranges)) invalidOption(WHERE, option, 'an array of ranges', ranges);
  return Object.freeze(
    ranges.map((range: unknown, index) => {
      const at = `${option}[${index}]`;
      assertKnownKeys(`${WHERE}: ${at}`, range, ['containerId', 'hostId', 'size']);
      const { containerId, hostId, size } = range as Partial<IdRange>;
      assertInteger(WHERE, `${at}.containerId`, containerId, 0, ID_LIMIT - 1);
      assertInteger(WHERE, `${at}.hostId`, hostId, 0, ID_LIMIT - 1);
      assertInteger(WHERE, `${at}.size`, size, 1, ID_LIMIT - Math.max(containerId, hostId));
      return Object.freeze({ containerId, hostId, size });
    }),
  );
}

function map(
  id: number,
  ranges: readonly IdRange[],
  from: 'containerId' | 'hostId',
  to: 'containerId' | 'hostId',
): number | undefined {
  if (ranges.length === 0) return id;
  for (const range of ranges) {
    const offset = id - range[from];
    if (offset >= 0 && offset < range.size) return range[to] + offset;
  }
  return undefined;
}

function show(ranges: readonly IdRange[]): string {
  return ranges.map((range) => `${range.containerId}:${range.hostId}:${range.size}`).join(',');
}

/**
 * How user and group ids inside a container correspond to those on the host. No ranges for a kind means identity; the
 * first range that holds an id wins. Every id is mapped exactly once, whatever it looks like: an id that happens to
 * equal the mapped root is an id like any other (Docker leaves it alone, and so makes a stranger's file root's).
 * Immutable.
 */
export class IdMap {
  static readonly IDENTITY: IdMap = new IdMap();

  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];

  /** @throws OPTION_INVALID, OPTION_UNKNOWN for malformed ranges */
  constructor(init: IdMapInit = {}) {
    assertKnownKeys(WHERE, init, ['uids', 'gids']);
    this.uids = checkedRanges('uids', init.uids);
    this.gids = checkedRanges('gids', init.gids);
  }

  /** True when nothing is ever changed. */
  get identity(): boolean {
    return this.uids.length === 0 && this.gids.length === 0;
  }

  /** The host ids of container 0:0. @throws ARCHIVE_ID_UNMAPPED when the map has none */
  get rootPair(): IdPair {
    return this.toHost(0, 0);
  }

  /** @throws ARCHIVE_ID_UNMAPPED "Container ID n cannot be mapped to a host ID", with the map */
  toHost(uid: number, gid: number): IdPair {
    return { uid: this.#mapped('uid', uid, 'host'), gid: this.#mapped('gid', gid, 'host') };
  }

  /** @throws ARCHIVE_ID_UNMAPPED "Host ID n cannot be mapped to a container ID", with the map */
  toContainer(uid: number, gid: number): IdPair {
    return { uid: this.#mapped('uid', uid, 'container'), gid: this.#mapped('gid', gid, 'container') };
  }

  #mapped(kind: 'uid' | 'gid', id: number, to: 'host' | 'container'): number {
    const ranges = kind === 'uid' ? this.uids : this.gids;
    const mapped =
      to === 'host' ? map(id, ranges, 'containerId', 'hostId') : map(id, ranges, 'hostId', 'containerId');
    if (mapped !== undefined) return mapped;
    const what =
      to === 'host'
        ? `Container ID ${id} cannot be mapped to a host ID`
        : `Host ID ${id} cannot be mapped to a container ID`;
    throw new LayerStoreError(
      'ARCHIVE_ID_UNMAPPED',
      `${what}: the ${kind} map is ${show(ranges)}; extend it`,
      {
        actual: String(id),
        expected: show(ranges),
      },
    );
  }
}
