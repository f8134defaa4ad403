/** The operations one by one, over both executors: what no archive leads to is tested here. */

import { execFileSync } from 'node:child_process';
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EXECUTORS, failureCode, Sandbox } from '../extract/sandbox.test-support.js';
import { OperationBatch, type OperationMeta } from './batch-encoder.js';
import { DEFAULT_OPTIONS } from './executor.test-support.js';
import { openExtractExecutor } from './open.js';
import { type ExecutorOptions, type ExtractExecutor, FLAG_SPARSE, NO_INDEX } from './operation.js';

const time = { seconds: 1000, nanoseconds: 0 };
const meta: OperationMeta = { mode: 0o644, uid: 0, gid: 0, mtime: time, atime: time };
const NOTHING = new Uint8Array(0);
const bytes = (text: string): Buffer => Buffer.from(text);

describe.each(EXECUTORS)('operations, %s executor', (executor) => {
  async function open(sandbox: Sandbox, options: Partial<ExecutorOptions> = {}): Promise<ExtractExecutor> {
    return await openExtractExecutor(sandbox.dest, {
      ...DEFAULT_OPTIONS,
      ...options,
      portable: executor === 'portable',
    });
  }

  function file(batch: OperationBatch, name: string, size: number, index = NO_INDEX): void {
    batch.file(bytes(name), meta, [], size, index);
    batch.data(0, 0, size);
    batch.fileEnd();
  }

  it('continues a file over batches and sums it up once', async () => {
    await using sandbox = await Sandbox.create(executor);
    await using opened = await open(sandbox);
    const batch = new OperationBatch();
    batch.file(bytes('d/f'), { ...meta, mode: 0o4711, uid: 3 }, [], 9, 0);
    batch.data(0, 2, 3);
    expect((await opened.run(batch.bytes(), bytes('..123..'))).checksums).toEqual([]);
    batch.reset();
    batch.data(3, 0, 6);
    batch.fileEnd();
    const { checksums } = await opened.run(batch.bytes(), bytes('456789'));
    expect(checksums.map(({ fileIndex, crc }) => [fileIndex, Buffer.from(crc).toString('hex')])).toEqual([
      [0, 'b90956c775a41001'],
    ]);
    await opened.finish();
    expect(sandbox.tree()['d/f']).toBe('file 4711 123456789');
    expect(lstatSync(join(sandbox.dest, 'd/f')).uid).toBe(3);
  });

  it('queues as many batches as its depth says, in order and each with its own chunk, and refuses one more', async () => {
    await using sandbox = await Sandbox.create(executor);
    await using opened = await open(sandbox);
    const batches = Array.from({ length: opened.depth }, (_, index) => {
      const batch = new OperationBatch();
      file(batch, `f${index}`, 4, index);
      return { ops: batch.bytes(), chunk: bytes(`<${index}.>`) };
    });
    const running = batches.map(({ ops, chunk }) => opened.run(ops, chunk));
    await expect(opened.run(NOTHING, NOTHING)).rejects.toMatchObject({ code: 'STORE_INVARIANT' });
    const results = await Promise.all(running);
    expect(results.map(({ checksums }) => checksums.map(({ fileIndex }) => fileIndex))).toEqual(
      batches.map((_, index) => [index]),
    );
    await opened.finish();
    for (const [index, { chunk }] of batches.entries()) {
      expect(readFileSync(join(sandbox.dest, `f${index}`)).equals(chunk)).toBe(true);
    }
  });

  it('does nothing of a batch behind one that failed', async () => {
    await using sandbox = await Sandbox.create(executor);
    await using opened = await open(sandbox);
    const [bad, behind] = [new OperationBatch(), new OperationBatch()];
    bad.hardlink(bytes('l'), bytes('missing'));
    file(behind, 'behind', 1);
    const outcomes = await Promise.allSettled([
      opened.run(bad.bytes(), NOTHING),
      opened.run(behind.bytes(), bytes('x')),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'ARCHIVE_INVALID_LINK' } },
      { status: 'rejected' },
    ]);
    expect(readdirSync(sandbox.dest)).toEqual([]);
  });

  it('refuses a file with fewer or more bytes than it was opened for', async () => {
    for (const [given, code] of [
      [4, /^ARCHIVE_BODY_MISMATCH$/],
      [6, /^(ARCHIVE_BODY_MISMATCH|STORE_INVARIANT)$/],
    ] as const) {
      await using sandbox = await Sandbox.create(executor);
      await using opened = await open(sandbox);
      const batch = new OperationBatch();
      batch.file(bytes('f'), meta, [], 5, NO_INDEX);
      batch.data(0, 0, given);
      batch.fileEnd();
      expect(await failureCode(opened.run(batch.bytes(), bytes('123456')))).toMatch(code);
    }
  });

  it('makes a file of holes', async () => {
    await using sandbox = await Sandbox.create(executor);
    await using opened = await open(sandbox);
    const batch = new OperationBatch();
    batch.file(bytes('holes'), meta, [], 1e9, NO_INDEX, FLAG_SPARSE);
    batch.data(5e8, 0, 4);
    batch.fileEnd();
    await opened.run(batch.bytes(), bytes('data'));
    const { size, blocks } = lstatSync(join(sandbox.dest, 'holes'));
    expect(size).toBe(1e9);
    expect(blocks).toBeLessThan(1000);
  });

  it('moves an object over another one, which is stashed; removes trees and what is not there', async () => {
    await using sandbox = await Sandbox.create(executor);
    await using opened = await open(sandbox, { stashDirectory: sandbox.stash });
    const batch = new OperationBatch();
    file(batch, 'scratch/1', 3);
    file(batch, 'target', 4, 0);
    batch.move(bytes('scratch/1'), bytes('target'));
    batch.remove(bytes('scratch'));
    batch.remove(bytes('never/was'));
    const { displaced } = await opened.run(batch.bytes(), bytes('abcd'));
    expect(displaced).toEqual([0]);
    expect(readFileSync(join(sandbox.stash, '0'), 'utf8')).toBe('abcd');
    expect(sandbox.tree()).toEqual({ target: 'file 644 abc' });
  });

  it('stashes on another file system as well', async () => {
    await using sandbox = await Sandbox.create(executor);
    const stash = execFileSync('mktemp', ['-d', '/dev/shm/stash-XXXXXX'], { encoding: 'utf8' }).trim();
    try {
      await using opened = await open(sandbox, { stashDirectory: stash });
      const batch = new OperationBatch();
      file(batch, 'f', 4, 0);
      file(batch, 'f', 2, 1);
      expect((await opened.run(batch.bytes(), bytes('lost'))).displaced).toEqual([0]);
      expect(readFileSync(join(stash, '0'), 'utf8')).toBe('lost');
    } finally {
      execFileSync('rm', ['-r', stash]);
    }
  });

  it('leaves the times of a directory alone that was replaced since', async () => {
    await using sandbox = await Sandbox.create(executor);
    await using opened = await open(sandbox);
    const batch = new OperationBatch();
    batch.directory(bytes('d'), { ...meta, mode: 0o755 }, []);
    batch.directory(bytes('d/e'), { ...meta, mode: 0o755 }, []);
    await opened.run(batch.bytes(), NOTHING);
    // Held open, so that the file system cannot give its number to the directory that follows.
    const held = openSync(join(sandbox.dest, 'd/e'), 'r');
    batch.reset();
    file(batch, 'd', 0);
    batch.remove(bytes('d'));
    file(batch, 'd/e/f', 0);
    await opened.run(batch.bytes(), NOTHING);
    await opened.finish();
    closeSync(held);
    expect(lstatSync(join(sandbox.dest, 'd/e')).mtimeMs).toBeGreaterThan(1e12);
  });

  it('takes batches and chunks larger than the ones before', async () => {
    await using sandbox = await Sandbox.create(executor);
    await using opened = await open(sandbox);
    const batch = new OperationBatch();
    file(batch, 'small', 1);
    await opened.run(batch.bytes(), bytes('s'));
    batch.reset();
    const chunk = Buffer.alloc(3 * 1024 * 1024, 'big');
    file(batch, 'big', chunk.length);
    for (let index = 0; index < 5000; index++) batch.directory(bytes(`${'n'.repeat(100)}${index}`), meta, []);
    await opened.run(batch.bytes(), chunk);
    expect(readFileSync(join(sandbox.dest, 'big')).equals(chunk)).toBe(true);
    expect(readdirSync(sandbox.dest)).toHaveLength(5002);
  });

  it('warns instead of failing where told to: a link takes no user attribute', async () => {
    const attribute = { name: bytes('user.x'), value: bytes('v') };
    await using sandbox = await Sandbox.create(executor);
    const batch = new OperationBatch();
    batch.symlink(bytes('l'), bytes('to'), meta, [attribute]);
    await using strict = await open(sandbox);
    expect(await failureCode(strict.run(batch.bytes(), NOTHING))).toBe('ARCHIVE_IO');
    await using lenient = await open(sandbox, { xattrs: 'report' });
    const { warnings } = await lenient.run(batch.bytes(), NOTHING);
    expect(warnings).toMatchObject([{ errno: 'EPERM', path: 'l', detail: 'user.x' }]);
  });

  it('names errno, call and path of a failure', async () => {
    await using sandbox = await Sandbox.create(executor);
    writeFileSync(join(sandbox.dest, 'plain'), '');
    await using opened = await open(sandbox);
    const batch = new OperationBatch();
    file(batch, 'plain/below', 0);
    const error = await opened.run(batch.bytes(), NOTHING).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'ARCHIVE_IO',
      errno: 'ENOTDIR',
      path: expect.stringContaining('plain'),
    });
  });

  it('closes twice, and with a file still open', async () => {
    await using sandbox = await Sandbox.create(executor);
    const before = readdirSync('/proc/self/fd').length;
    const opened = await open(sandbox);
    const batch = new OperationBatch();
    batch.file(bytes('unfinished'), meta, [], 100, 0);
    await opened.run(batch.bytes(), NOTHING);
    await opened.close();
    await opened.close();
    // The first worker of a process leaves descriptors of the runtime behind; a second one adds none.
    const settled = readdirSync('/proc/self/fd').length;
    const again = await open(sandbox);
    await again.run(batch.bytes(), NOTHING);
    await again.close();
    expect(readdirSync('/proc/self/fd').length).toBe(settled);
    expect(settled).toBeGreaterThanOrEqual(before);
  });

  it('a directory in the place of a file of the same layer hides lower content of its name', async () => {
    await using sandbox = await Sandbox.create(executor);
    await using opened = await open(sandbox, { whiteouts: 'aufs' });
    const batch = new OperationBatch();
    file(batch, 'x', 0);
    batch.directory(bytes('x'), { ...meta, mode: 0o755 }, []);
    await opened.run(batch.bytes(), NOTHING);
    expect(Object.keys(sandbox.tree())).toEqual(['x', 'x/.wh..wh..opq']);
  });
});
