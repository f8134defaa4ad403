import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { Crc64 } from '../digest/crc64.js';
import { describeWithAddon } from './describe-with-addon.test-support.js';
import { EXECUTORS, type ExecutorKind, Sandbox, Script } from './executor.test-support.js';
import type { Gatherer } from './gather.js';
import { GatherPlan } from './gather-plan.js';
import { openGatherer } from './open.js';

const CORRUPT = { code: 'ARCHIVE_FILE_CORRUPT' };

const crcOf = (content: Uint8Array): Uint8Array => new Crc64().update(content).digest();

/** Two roots to read from and a gatherer on them. */
class Library implements AsyncDisposable {
  readonly base: string = mkdtempSync('/dev/shm/gatherer-');
  readonly roots: readonly string[] = [join(this.base, 'upper'), join(this.base, 'lower')];
  readonly gatherer: Promise<Gatherer>;

  constructor(kind: ExecutorKind) {
    for (const root of this.roots) mkdirSync(root);
    this.gatherer = openGatherer(this.roots, { portable: kind === 'portable' });
  }

  write(root: 0 | 1, name: string, content: string | Uint8Array): void {
    const path = join(this.roots[root] as string, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
  }

  async read(path: string | Uint8Array, expected: string): Promise<string> {
    const content = Buffer.from(expected);
    const plan = new GatherPlan();
    plan.read(0, content.length, { path: Buffer.from(path), size: content.length }, crcOf(content));
    const out = Buffer.alloc(content.length);
    await (await this.gatherer).gather(plan.bytes(), out);
    return out.toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.gatherer).close();
    rmSync(this.base, { recursive: true });
  }
}

describeWithAddon.each(EXECUTORS)('%s gatherer', (kind) => {
  it('fills a buffer with many files, one of them over several plans', async () => {
    await using library = new Library(kind);
    library.write(0, 'a/small', 'small');
    library.write(0, 'a/empty', '');
    const big = Buffer.alloc(2_500_000, 'big content ');
    library.write(0, 'big', big);
    const gatherer = await library.gatherer;
    const first = new GatherPlan();
    const out = Buffer.alloc(1_000_010);
    first.read(0, 5, { path: Buffer.from('a/small'), size: 5 }, crcOf(Buffer.from('small')));
    first.read(5, 0, { path: Buffer.from('a/empty'), size: 0 }, crcOf(Buffer.alloc(0)));
    first.read(10, 1_000_000, { path: Buffer.from('big'), size: big.length }, undefined);
    await gatherer.gather(first.bytes(), out);
    expect(out.subarray(0, 10).toString('latin1')).toBe('small\0\0\0\0\0');
    const read = [Buffer.from(out.subarray(10))];
    const rest = new GatherPlan();
    const tail = Buffer.alloc(1_500_000);
    rest.read(0, 1_500_000, undefined, crcOf(big));
    await gatherer.gather(rest.bytes(), tail);
    expect(Buffer.concat([...read, tail]).equals(big)).toBe(true);
  });

  it('takes names as bytes', async () => {
    await using library = new Library(kind);
    const name = Buffer.from([0x64, 0xe4, 0xff]);
    writeFileSync(Buffer.concat([Buffer.from(`${library.roots[0]}/`), name]), 'x');
    await expect(library.read(name, 'x')).resolves.toBe('x');
  });

  it('prefers the first root that has the path', async () => {
    await using library = new Library(kind);
    library.write(0, 'd/both', 'upper');
    library.write(1, 'd/both', 'lower');
    library.write(1, 'e/only', 'lower');
    await expect(library.read('d/both', 'upper')).resolves.toBe('upper');
    await expect(library.read('e/only', 'lower')).resolves.toBe('lower');
    await expect(library.read('neither', 'x')).rejects.toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOENT',
      path: 'neither',
    });
  });

  it('resolves links of ancestors inside the root, as extraction did', async () => {
    await using library = new Library(kind);
    library.write(0, 'run/pid', '1');
    mkdirSync(join(library.roots[0] as string, 'var'));
    symlinkSync('/run', join(library.roots[0] as string, 'var/run'));
    symlinkSync('../lower', join(library.roots[0] as string, 'up'));
    library.write(1, 'secret', 's');
    await expect(library.read('var/run/pid', '1')).resolves.toBe('1');
    await expect(library.read('up/secret', 's')).rejects.toMatchObject({ path: 'up/secret' });
  });

  it.each([
    ['has other content', 'content', 'c0ntent'],
    ['is shorter', 'content', 'conten'],
    ['is longer', 'content', 'content!'],
  ])('refuses a file that %s', async (_, expected, actual) => {
    await using library = new Library(kind);
    library.write(0, 'f', actual);
    await expect(library.read('f', expected)).rejects.toMatchObject({ ...CORRUPT, path: 'f' });
  });

  it('refuses links, directories and FIFOs in the place of a file, without waiting (SEC-24)', async () => {
    await using library = new Library(kind);
    const root = library.roots[0] as string;
    library.write(0, 'real', 'x');
    symlinkSync('real', join(root, 'link'));
    mkdirSync(join(root, 'directory'));
    execFileSync('mkfifo', [join(root, 'fifo')]);
    for (const name of ['link', 'directory', 'fifo']) {
      await expect(library.read(name, 'x')).rejects.toMatchObject({ ...CORRUPT, path: name });
    }
    await expect(library.read('real', 'x')).resolves.toBe('x');
  });

  it('reads back what an executor wrote, with the checksums it reported', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .symlink('l', '/deep/er')
      .file('l/one', 'first', { index: 0 })
      .file('two', '22', { index: 1 });
    const { checksums } = await sandbox.extract({}, script);
    await using gatherer = await openGatherer([sandbox.root], { portable: kind === 'portable' });
    const plan = new GatherPlan();
    plan.read(0, 5, { path: Buffer.from('l/one'), size: 5 }, checksums[0]?.crc);
    plan.read(5, 2, { path: Buffer.from('two'), size: 2 }, checksums[1]?.crc);
    const out = Buffer.alloc(7);
    await gatherer.gather(plan.bytes(), out);
    expect(out.toString()).toBe('first22');
  });

  it('refuses a root that is no directory and keeps no descriptor', async () => {
    const before = readdirSync('/proc/self/fd').length;
    {
      await using library = new Library(kind);
      library.write(0, 'f', 'x');
      await library.read('f', 'x');
      await expect(library.read('missing', 'x')).rejects.toThrow();
      const opening = openGatherer([library.base, `${library.roots[0]}/f`], {
        portable: kind === 'portable',
      });
      await expect(opening).rejects.toMatchObject({ code: 'ARCHIVE_IO' });
    }
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + (kind === 'portable' ? 4 : 0));
  });
});
