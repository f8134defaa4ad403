import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Crc64 } from '../digest/crc64.js';
import type { Gatherer } from './gather.js';
import { GatherPlan } from './gather-plan.js';
import { openPortableGatherer } from './portable-gatherer.js';

const crcOf = (text: string | Uint8Array): Uint8Array => new Crc64().update(Buffer.from(text)).digest();

let base: string;
let root: string;
let gatherer: Gatherer;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'portable-gatherer-'));
  root = join(base, 'root');
  mkdirSync(root);
  gatherer = await openPortableGatherer([root]);
});

afterEach(async () => {
  await gatherer.close();
  rmSync(base, { recursive: true, force: true });
});

async function gatherOne(path: string | Buffer, content: string, from: Gatherer = gatherer): Promise<string> {
  const plan = new GatherPlan();
  plan.read(0, content.length, { path: Buffer.from(path as string), size: content.length }, crcOf(content));
  const out = Buffer.alloc(content.length);
  await from.gather(plan.bytes(), out);
  return out.toString('latin1');
}

describe('portable gatherer', () => {
  it('reads files to where the plan says and leaves the rest of the buffer alone', async () => {
    mkdirSync(join(root, 'a'));
    writeFileSync(join(root, 'a/one'), 'first');
    writeFileSync(join(root, 'a/two'), 'second');
    const plan = new GatherPlan();
    plan.read(2, 5, { path: Buffer.from('a/one'), size: 5 }, crcOf('first'));
    plan.read(10, 6, { path: Buffer.from('a/two'), size: 6 }, crcOf('second'));
    const out = Buffer.alloc(18, '.');
    await gatherer.gather(plan.bytes(), out);
    expect(out.toString()).toBe('..first...second..');
  });

  it('reads a file across several plans and checks the sum over all of them', async () => {
    const content = Buffer.alloc(3_000_000, 'layer store ');
    writeFileSync(join(root, 'big'), content);
    const read: Buffer[] = [];
    for (let at = 0; at < content.length; at += 1_000_000) {
      const plan = new GatherPlan();
      const begin = at === 0 ? { path: Buffer.from('big'), size: content.length } : undefined;
      plan.read(0, 1_000_000, begin, at === 2_000_000 ? crcOf(content) : undefined);
      const out = Buffer.alloc(1_000_000);
      await gatherer.gather(plan.bytes(), out);
      read.push(out);
    }
    expect(Buffer.concat(read).equals(content)).toBe(true);
  });

  it('takes names that are not UTF-8', async () => {
    const name = Buffer.from([0x66, 0xe4, 0x66]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), 'latin');
    expect(await gatherOne(name, 'latin')).toBe('latin');
  });

  it('resolves links in ancestors inside the root, absolute ones and those that climb too high included', async () => {
    mkdirSync(join(root, 'real'));
    writeFileSync(join(root, 'real/file'), 'inside');
    mkdirSync(join(base, 'real'));
    writeFileSync(join(base, 'real/file'), 'outside');
    symlinkSync('/real', join(root, 'absolute'));
    symlinkSync('../../real', join(root, 'climbing'));
    expect(await gatherOne('absolute/file', 'inside')).toBe('inside');
    expect(await gatherOne('climbing/file', 'inside')).toBe('inside');
  });

  it('refuses a link, a FIFO and a directory where the file should be, without waiting', async () => {
    writeFileSync(join(root, 'target'), 'text');
    symlinkSync('target', join(root, 'link'));
    execFileSync('mkfifo', [join(root, 'fifo')]);
    mkdirSync(join(root, 'directory'));
    for (const path of ['link', 'fifo', 'directory']) {
      await expect(gatherOne(path, 'text')).rejects.toMatchObject({ code: 'ARCHIVE_FILE_CORRUPT', path });
    }
  });

  it('refuses other sizes and other content, and can go on afterwards', async () => {
    writeFileSync(join(root, 'file'), 'text');
    await expect(gatherOne('file', 'texts')).rejects.toMatchObject({
      code: 'ARCHIVE_FILE_CORRUPT',
      expected: '5',
      actual: '4',
    });
    await expect(gatherOne('file', 'tfxt')).rejects.toMatchObject({
      code: 'ARCHIVE_FILE_CORRUPT',
      path: 'file',
    });
    expect(await gatherOne('file', 'text')).toBe('text');
  });

  it('names the missing file', async () => {
    await expect(gatherOne('no/such', 'x')).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOENT',
      path: 'no/such',
    });
  });

  it('takes the first of several roots that has the path', async () => {
    const lower = join(base, 'lower');
    mkdirSync(join(lower, 'd'), { recursive: true });
    writeFileSync(join(lower, 'd/both'), 'lower');
    writeFileSync(join(lower, 'd/only'), 'below');
    mkdirSync(join(root, 'd'));
    writeFileSync(join(root, 'd/both'), 'upper');
    await using two = await openPortableGatherer([root, lower]);
    expect(await gatherOne('d/both', 'upper', two)).toBe('upper');
    expect(await gatherOne('d/only', 'below', two)).toBe('below');
  });

  it('fails to open on a root that is not there, and refuses work after close', async () => {
    await expect(openPortableGatherer([join(base, 'none')])).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOENT',
    });
    await gatherer.close();
    await expect(gatherOne('x', 'x')).rejects.toMatchObject({ code: 'STORE_INVARIANT' });
  });
});
