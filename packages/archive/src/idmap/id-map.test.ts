import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdMap, type IdMapInit } from './id-map.js';
import { parseIdRanges, parseSubordinateIds } from './parse-id-ranges.js';

const RANGES = [
  { containerId: 0, hostId: 100_000, size: 1000 },
  { containerId: 1000, hostId: 1000, size: 1 },
  { containerId: 1001, hostId: 101_000, size: 64_536 },
];

describe('IdMap', () => {
  it('maps users and groups by their own ranges', () => {
    const map = new IdMap({ uids: RANGES, gids: [{ containerId: 0, hostId: 500, size: 10 }] });
    expect(map.toHost(0, 9)).toEqual({ uid: 100_000, gid: 509 });
    expect(map.toHost(1000, 0)).toEqual({ uid: 1000, gid: 500 });
    expect(map.toHost(65_536, 1)).toEqual({ uid: 165_535, gid: 501 });
    expect(map.toContainer(165_535, 509)).toEqual({ uid: 65_536, gid: 9 });
    expect(map.rootPair).toEqual({ uid: 100_000, gid: 500 });
    expect(map.identity).toBe(false);
  });

  it('is the identity without ranges', () => {
    expect(IdMap.IDENTITY.identity).toBe(true);
    expect(IdMap.IDENTITY.toHost(123_456, 0)).toEqual({ uid: 123_456, gid: 0 });
    expect(IdMap.IDENTITY.rootPair).toEqual({ uid: 0, gid: 0 });
  });

  it('maps an id that equals the host root id like any other, exactly once', () => {
    const map = new IdMap({ uids: [{ containerId: 0, hostId: 100_000, size: 200_000 }] });
    expect(map.toHost(100_000, 0).uid).toBe(200_000);
    expect(() => new IdMap({ uids: RANGES }).toHost(100_000, 0)).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_ID_UNMAPPED' }),
    );
  });

  it('takes the first range that holds an id', () => {
    const uids = [
      { containerId: 5, hostId: 50, size: 1 },
      { containerId: 0, hostId: 100, size: 10 },
    ];
    expect([4, 5, 6].map((uid) => new IdMap({ uids }).toHost(uid, 0).uid)).toEqual([104, 50, 106]);
  });

  it('names the id and the map when there is no counterpart', () => {
    const map = new IdMap({ gids: [{ containerId: 0, hostId: 100_000, size: 65_536 }] });
    expect(() => map.toHost(7, 65_536)).toThrow(
      /Container ID 65536 cannot be mapped to a host ID: the gid map is 0:100000:65536/,
    );
    expect(() => map.toContainer(7, 99_999)).toThrow(/Host ID 99999 cannot be mapped to a container ID/);
    const rootless = new IdMap({ uids: [{ containerId: 1, hostId: 1, size: 1 }] });
    expect(() => rootless.rootPair).toThrow(expect.objectContaining({ code: 'ARCHIVE_ID_UNMAPPED' }));
  });

  it('gives back what it was given, wherever there is a counterpart', () => {
    const map = new IdMap({ uids: RANGES, gids: RANGES });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_536 }), fc.integer({ min: 0, max: 65_536 }), (uid, gid) => {
        const host = map.toHost(uid, gid);
        expect(map.toContainer(host.uid, host.gid)).toEqual({ uid, gid });
      }),
    );
  });

  it.each([
    [{ uids: [{ containerId: 0, hostId: 0, size: 0 }] }, 'OPTION_INVALID'],
    [{ uids: [{ containerId: -1, hostId: 0, size: 1 }] }, 'OPTION_INVALID'],
    [{ gids: [{ containerId: 0, hostId: 1.5, size: 1 }] }, 'OPTION_INVALID'],
    [{ gids: [{ containerId: 0, hostId: 0xffff_fff0, size: 16 }] }, 'OPTION_INVALID'],
    [{ gids: [{ containerId: 0, hostId: 0, size: 1, name: 'x' }] }, 'OPTION_UNKNOWN'],
    [{ uids: '0:0:1' }, 'OPTION_INVALID'],
    [{ users: [] }, 'OPTION_UNKNOWN'],
  ])('refuses %j', (init, code) => {
    expect(() => new IdMap(init as IdMapInit)).toThrow(expect.objectContaining({ code }));
  });

  it('may use every id but the last, which means "no change" to the kernel', () => {
    expect(
      new IdMap({ uids: [{ containerId: 0, hostId: 0, size: 0xffff_ffff }] }).toHost(0xffff_fffe, 0).uid,
    ).toBe(0xffff_fffe);
    expect(() => new IdMap({ uids: [{ containerId: 0, hostId: 1, size: 0xffff_ffff }] })).toThrow();
  });
});

describe('parseIdRanges', () => {
  it('reads container:host:size', () => {
    expect(parseIdRanges('0:100000:1000,1000:1000:1, 1001:101000:64536')).toEqual(RANGES);
    expect(parseIdRanges('')).toEqual([]);
  });

  it.each(['0', '0:1', '0:1:2:3', 'a:b:c', '0:-1:1', '0:1:', '0:1:1,', '1e3:1:1', '0:99999999999:1'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseIdRanges(text)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    },
  );
});

describe('parseSubordinateIds', () => {
  const FILE = '# comment\n\nalice:100000:65536\nbob:165536:65536\n1000:300000:10\nalice:400000:5\nbroken\n';

  it('lays the ranges of one user out from container id 0, by name or number', () => {
    expect(parseSubordinateIds(FILE, 'alice')).toEqual([
      { containerId: 0, hostId: 100_000, size: 65_536 },
      { containerId: 65_536, hostId: 400_000, size: 5 },
    ]);
    expect(parseSubordinateIds(FILE, 'carol', 1000)).toEqual([{ containerId: 0, hostId: 300_000, size: 10 }]);
    expect(parseSubordinateIds(FILE, 'nobody')).toEqual([]);
  });

  it('refuses a malformed line of this user only', () => {
    for (const line of ['alice:1', 'alice:1:2:3', 'alice:x:1', 'alice:1:0']) {
      expect(() => parseSubordinateIds(line, 'alice')).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      );
      expect(parseSubordinateIds(line, 'bob')).toEqual([]);
    }
  });
});
