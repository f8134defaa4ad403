import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  describeRefused,
  type Refusal,
  refusalOfCopy,
  refusalOfUnpack,
  ShortfallRecords,
  summarize,
} from './shortfalls.js';
import { idOf } from './tree-on-disk.test-support.js';

const refusal = (what: string, path: string): Refusal => ({ what, path, detail: 'EPERM' });

let home: string;
let records: ShortfallRecords;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vfs-shortfalls-'));
  records = new ShortfallRecords(home);
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('shortfalls', () => {
  it('have one name for one thing, whoever met it', () => {
    const unpacked = (syscall: string): Refusal =>
      refusalOfUnpack({ syscall, errno: 'EPERM', path: 'p', detail: 'user.x' });
    expect(unpacked('lsetxattr')).toEqual({ what: 'xattr', path: 'p', detail: 'lsetxattr: EPERM (user.x)' });
    expect(['fchownat', 'mknodat', 'utimensat'].map((syscall) => unpacked(syscall).what)).toEqual([
      'owner',
      'device',
      'utimensat',
    ]);
    const copied = (kind: 'ownership' | 'device' | 'xattrs'): string =>
      refusalOfCopy({ kind, path: 'p', message: 'm' }).what;
    expect([copied('ownership'), copied('device'), copied('xattrs')]).toEqual(['owner', 'device', 'xattr']);
  });

  it('are counted in full and shown in part', () => {
    expect(summarize(idOf('a'), [])).toBeUndefined();
    const many = Array.from({ length: 50 }, (_, index) => refusal('owner', `f${index}`));
    const summary = summarize(idOf('a'), [refusal('device', 'null'), ...many]);
    expect(summary?.refused).toEqual({ device: 1, owner: 50 });
    expect(summary?.examples).toHaveLength(20);
    expect(describeRefused(summary?.refused ?? {})).toBe('device 1, owner 50');
  });

  it('add up, are inherited and are forgotten', async () => {
    expect(await records.count()).toBe(0);
    await records.add({ id: idOf('a'), refused: { owner: 2 }, examples: [refusal('owner', 'x')] });
    await records.add({
      id: idOf('a'),
      refused: { owner: 1, device: 1 },
      examples: [refusal('device', 'y')],
    });
    await records.inherit(idOf('b'), idOf('a'));
    await records.inherit(idOf('c'), idOf('unknown'));
    expect(await records.get(idOf('b'))).toEqual({
      id: 'b',
      refused: { owner: 3, device: 1 },
      examples: [refusal('owner', 'x'), refusal('device', 'y')],
    });
    expect(await records.count()).toBe(2);
    await records.forget(idOf('a'));
    await records.forget(idOf('a'));
    expect(await records.get(idOf('a'))).toBeUndefined();
    expect(await records.count()).toBe(1);
  });

  it('of layers that are gone, and half written ones, go with the next open', async () => {
    await records.add({ id: idOf('a'), refused: { owner: 1 }, examples: [] });
    await records.add({ id: idOf('b'), refused: { owner: 1 }, examples: [] });
    mkdirSync(join(home, 'shortfalls'), { recursive: true });
    writeFileSync(join(home, 'shortfalls', '.a.json'), '{');
    await records.open([idOf('a')]);
    expect(readdirSync(join(home, 'shortfalls'))).toEqual(['a.json']);
  });
});
