import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeRefused, type Shortfall, ShortfallRecords, summarize } from './shortfalls.js';
import { idOf } from './tree-on-disk.test-support.js';

const warning = (syscall: string, path: string): Shortfall['examples'][number] => ({
  syscall,
  errno: 'EPERM',
  path,
  detail: '',
});

let home: string;
let records: ShortfallRecords;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vfs-shortfalls-'));
  records = new ShortfallRecords(home);
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('shortfalls', () => {
  it('are counted in full and shown in part', () => {
    expect(summarize(idOf('a'), [])).toBeUndefined();
    const many = Array.from({ length: 50 }, (_, index) => warning('chown', `f${index}`));
    const summary = summarize(idOf('a'), [warning('mknod', 'null'), ...many]);
    expect(summary?.refused).toEqual({ mknod: 1, chown: 50 });
    expect(summary?.examples).toHaveLength(20);
    expect(describeRefused(summary?.refused ?? {})).toBe('chown 50, mknod 1');
  });

  it('add up, are inherited and are forgotten', async () => {
    expect(await records.count()).toBe(0);
    await records.add({ id: idOf('a'), refused: { chown: 2 }, examples: [warning('chown', 'x')] });
    await records.add({ id: idOf('a'), refused: { chown: 1, mknod: 1 }, examples: [warning('mknod', 'y')] });
    await records.inherit(idOf('b'), idOf('a'));
    await records.inherit(idOf('c'), idOf('unknown'));
    expect(await records.get(idOf('b'))).toEqual({
      id: 'b',
      refused: { chown: 3, mknod: 1 },
      examples: [warning('chown', 'x'), warning('mknod', 'y')],
    });
    expect(await records.count()).toBe(2);
    await records.forget(idOf('a'));
    await records.forget(idOf('a'));
    expect(await records.get(idOf('a'))).toBeUndefined();
    expect(await records.count()).toBe(1);
  });

  it('of layers that are gone, and half written ones, go with the next open', async () => {
    await records.add({ id: idOf('a'), refused: { chown: 1 }, examples: [] });
    await records.add({ id: idOf('b'), refused: { chown: 1 }, examples: [] });
    mkdirSync(join(home, 'shortfalls'), { recursive: true });
    writeFileSync(join(home, 'shortfalls', '.a.json'), '{');
    await records.open([idOf('a')]);
    expect(readdirSync(join(home, 'shortfalls'))).toEqual(['a.json']);
  });
});
