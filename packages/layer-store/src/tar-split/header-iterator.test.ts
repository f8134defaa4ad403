import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { archiveOf, type BuiltEntry, paxEntry } from './archive-builder.test-support.js';
import { disassembleTar } from './disassembler.js';
import { iterateHeaders } from './header-iterator.js';
import { TarSplitWriter } from './writer.js';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tar-split-headers-'));
  path = join(directory, 'record');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function headersOf(...entries: readonly BuiltEntry[]): Promise<string[]> {
  await using writer = await TarSplitWriter.open(path);
  await disassembleTar(Readable.from([archiveOf(...entries)]), writer);
  await writer.finish();
  const found: string[] = [];
  for await (const header of iterateHeaders(path)) {
    found.push(`${header.kind} ${Buffer.from(header.name).toString()} ${header.payloadSize}`);
  }
  return found;
}

describe('iterateHeaders', () => {
  it('recovers every kind of header from the record alone (IterateHeaders)', async () => {
    const long = `${'long/'.repeat(40)}name`;
    const sizes = [0, 1, 511, 512, 513].map((size) => ({
      name: `size-${size}`,
      body: Buffer.alloc(size, 's'),
    }));
    const found = await headersOf(
      ...sizes,
      { name: 'symlink', type: '2', link: 'size-1' },
      { name: 'hardlink', type: '1', link: 'size-1' },
      { name: 'char', type: '3' },
      { name: 'block', type: '4' },
      { name: 'directory/', type: '5' },
      { name: 'fifo', type: '6' },
      paxEntry({ path: long }),
      { name: 'short', body: 'pax' },
    );
    expect(found).toEqual([
      'file size-0 0',
      'file size-1 1',
      'file size-511 511',
      'file size-512 512',
      'file size-513 513',
      'symlink symlink 0',
      'hardlink hardlink 0',
      'char char 0',
      'block block 0',
      'directory directory/ 0',
      'fifo fifo 0',
      `file ${long} 3`,
    ]);
  });

  it('finds the headers behind payloads that are inlined', async () => {
    const found = await headersOf(
      { name: 'f', body: 'one' },
      { name: 'f', body: 'two!' },
      { name: 'last', body: 'x' },
    );
    expect(found).toEqual(['file f 3', 'file f 4', 'file last 1']);
  });

  it('refuses a record whose sizes do not fit its headers', async () => {
    const segment = archiveOf({ name: 'f', body: 'one' }).subarray(0, 512).toString('base64');
    const json = `{"type":2,"payload":"${segment}","position":0}\n{"type":1,"name":"f","size":4,"payload":"PDwwMAAAAAA=","position":1}\n`;
    const reading = iterateHeaders(Readable.from([gzipSync(json)]));
    const readAll = async (): Promise<void> => {
      for await (const header of reading) expect(header.kind).toBe('file');
    };
    await expect(readAll()).rejects.toMatchObject({ code: 'TAR_SPLIT_INVALID' });
  });
});
