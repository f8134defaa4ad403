import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '../errors.js';
import { type ExpectedEntry, GO_ARCHIVES } from './go-archives.test.data.js';
import { goArchivesOrSkip } from './go-archives.test.support.js';
import { expanded, type ReadEntry, readBrokenTar, readTar, textOf } from './read-tar.test.support.js';

const directory = goArchivesOrSkip();
const whenFound = directory === undefined ? it.skip : it;
const load = (name: string): Buffer => readFileSync(join(directory ?? '', `${name}.tar`));
const EXPANDABLE = 1 << 24;

const REFUSED: readonly [string, ErrorCode][] = [
  ['issue10968', 'ARCHIVE_INVALID_HEADER'],
  ['issue11169', 'ARCHIVE_INVALID_PAX'],
  ['issue12435', 'ARCHIVE_INVALID_HEADER'],
  // Its size is negative and of more than 64 bits.
  ['neg-size', 'ARCHIVE_INVALID_HEADER'],
  ['pax-bad-hdr-file', 'ARCHIVE_INVALID_PAX'],
  ['pax-bad-mtime-file', 'ARCHIVE_INVALID_PAX'],
  ['pax-nul-path', 'ARCHIVE_INVALID_PAX'],
  ['pax-nul-xattrs', 'ARCHIVE_INVALID_PAX'],
];

/** Says about an entry what the table says about it. */
function summary(entry: ReadEntry): ExpectedEntry {
  const { header, raw } = entry;
  const isGlobal = header.kind === 'global';
  const found: Record<string, unknown> = {
    type: typeOf(entry),
    name: textOf(header.name),
    link: isGlobal ? '' : textOf(header.linkName),
    mode: isGlobal ? 0 : header.mode,
    uid: header.uid,
    gid: header.gid,
    size: header.size,
    mtime: isGlobal ? [0, 0] : timeOf(header.mtime),
    atime: timeOf(header.atime),
    ctime: timeOf(header.ctime),
    user: textOf(header.userName),
    group: textOf(header.groupName),
    device: [header.deviceMajor, header.deviceMinor],
    xattrs: header.xattrs
      .map(({ name, value }) => [textOf(name), textOf(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    md5: header.size > 0 && header.size < EXPANDABLE ? md5(entry) : '',
    raw,
  };
  const isEmpty = (value: unknown): boolean =>
    value === undefined || value === 0 || value === '' || ['0,0', ''].includes(`${value as string}`);
  const isDefault = (key: string): boolean =>
    key !== 'name' && isEmpty(found[key]) && key !== 'atime' && key !== 'ctime';
  return Object.fromEntries(
    Object.entries(found).filter(([key, value]) => value !== undefined && !isDefault(key)),
  ) as unknown as ExpectedEntry;
}

function typeOf({ header }: ReadEntry): string {
  if (header.typeflag !== 0) return String.fromCharCode(header.typeflag);
  return header.kind === 'directory' ? '5' : '0';
}

function timeOf(time: { seconds: number; nanoseconds: number } | undefined): unknown {
  return time === undefined ? undefined : [time.seconds, time.nanoseconds];
}

function md5(entry: ReadEntry): string {
  const digest = createHash('md5').update(expanded(entry)).digest('hex');
  // Payload of a header-only entry with a size: there is none, and the table leaves the digest of nothing out.
  return digest === 'd41d8cd98f00b204e9800998ecf8427e' ? '' : digest;
}

describe("Go's tar test archives", () => {
  const complete = Object.keys(GO_ARCHIVES).filter((name) => !name.startsWith('writer-big'));

  whenFound.each(complete)('%s: headers, payloads and header sizes are those Go sees (Reader)', (name) => {
    const expected = (GO_ARCHIVES[name] ?? []).map((row) => JSON.parse(row) as ExpectedEntry);
    const found = readTar(load(name)).entries.map(summary);
    expect(found).toEqual(expected);
  });

  whenFound.each(complete)('%s: raw and payload bytes make up the archive, in any chunks', (name) => {
    const archive = load(name);
    const whole = readTar(archive);
    expect(whole.bytes.equals(archive)).toBe(true);
    for (const chunks of [[1], [511], [512], [513, 7, 1024]]) {
      const pieces = readTar(archive, { chunks, poison: true });
      expect(pieces.events).toEqual(whole.events);
      expect(pieces.entries.map(summary)).toEqual(whole.entries.map(summary));
    }
  });

  whenFound.each(REFUSED)('%s is refused with %s (Reader)', (name, code) => {
    const { error, entries } = readBrokenTar(load(name));
    expect(error.code).toBe(code);
    expect(entries).toHaveLength(0);
  });

  whenFound.each(['writer-big', 'writer-big-long'])(
    '%s: 16 GiB in a header without the data (Reader)',
    (name) => {
      const { error, entries } = readBrokenTar(load(name));
      expect(error.code).toBe('ARCHIVE_TRUNCATED');
      const expected = (GO_ARCHIVES[name] ?? []).map((row) => JSON.parse(row) as ExpectedEntry);
      expect(entries.map(({ header }) => [textOf(header.name), header.size])).toEqual(
        expected.map((entry) => [entry.name, entry.size]),
      );
    },
  );

  whenFound('every archive is in the table or in the list of refused ones (Reader)', () => {
    const known = [...Object.keys(GO_ARCHIVES), ...REFUSED.map(([name]) => name)];
    const installed = readdirSync(directory ?? '').filter((file) => file.endsWith('.tar'));
    expect(installed.map((file) => file.slice(0, -'.tar'.length)).sort()).toEqual(known.sort());
  });

  whenFound.each(['gnu-sparse-big', 'pax-sparse-big'])('%s: 60 GB are a map, not memory', (name) => {
    const [entry] = readTar(load(name)).entries;
    expect(entry?.header.kind).toBe('sparse');
    expect(entry?.header.size).toBe(60_000_000_000);
    expect(entry?.payload.length).toBeLessThan(10_000);
    expect(readBrokenTar(load(name), { limits: { maxLogicalSize: 1e9 } }).error.code).toBe(
      'ARCHIVE_LIMIT_EXCEEDED',
    );
  });
});
