import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from '@jest/globals';
import { describeWithAddon } from './describe-with-addon.test-support.js';
import { DEFAULT_OPTIONS, nativeCalls, Sandbox, Script } from './executor.test-support.js';
import { openNativeExecutor } from './native-executor.js';

/** A batch that takes a while: thousands of small files. */
function longScript(): Script {
  const script = new Script();
  for (let index = 0; index < 20_000; index++) script.file(`d${index % 50}/f${index}`, '');
  return script;
}

describeWithAddon('native executor', () => {
  it('queues as many batches as its depth says, in order, and refuses one more', async () => {
    await using sandbox = new Sandbox('native');
    const executor = await sandbox.open();
    const first = longScript();
    const then = new Script().hardlink('link', 'd0/f0');
    const queued = [first, then, new Script().hardlink('again', 'link')].map((script) =>
      executor.run(script.batch.bytes(), script.chunk),
    );
    expect(queued).toHaveLength(executor.depth);
    await expect(executor.run(then.batch.bytes(), then.chunk)).rejects.toMatchObject({
      code: 'STORE_INVARIANT',
    });
    await Promise.all(queued);
    expect(readdirSync(sandbox.root)).toEqual(expect.arrayContaining(['link', 'again']));
  });

  it('reads files between batches, also behind one that failed, and ends reads that wait when it is closed', async () => {
    await using sandbox = new Sandbox('native');
    const executor = await sandbox.open();
    const fd = openSync(fileURLToPath(import.meta.url), 'r');
    try {
      const content = readFileSync(fd);
      const bad = new Script().hardlink('l', 'missing');
      const failing = executor.run(bad.batch.bytes(), bad.chunk);
      const [whole, tail] = [Buffer.alloc(content.length + 10), Buffer.alloc(content.length)];
      const read = executor.read?.bind(executor);
      if (read === undefined) throw new Error('the executor of the addon reads');
      const reads = [read(fd, whole, 0), read(fd, tail, content.length - 7)];
      await expect(failing).rejects.toMatchObject({ code: 'ARCHIVE_INVALID_LINK' });
      expect(await Promise.all(reads)).toEqual([content.length, 7]);
      expect(whole.subarray(0, -10).equals(content)).toBe(true);
      expect(tail.subarray(0, 7).equals(content.subarray(-7))).toBe(true);
      await expect(read(-1, tail, 0)).rejects.toMatchObject({ code: 'EBADF', syscall: 'pread' });
      const waiting = read(fd, whole, 0);
      await executor.close();
      expect(await waiting).toBe(content.length);
      await expect(read(fd, whole, 0)).rejects.toMatchObject({ code: 'STORE_INVARIANT' });
    } finally {
      closeSync(fd);
    }
  });

  it('does nothing of the batches behind one that failed, and takes no more', async () => {
    await using sandbox = new Sandbox('native');
    const executor = await sandbox.open();
    const bad = new Script().hardlink('l', 'missing');
    const behind = new Script().file('behind', '');
    const outcomes = await Promise.allSettled(
      [bad, behind].map((script) => executor.run(script.batch.bytes(), script.chunk)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(outcomes[0]).toMatchObject({ reason: { code: 'ARCHIVE_INVALID_LINK' } });
    expect(readdirSync(sandbox.root)).toEqual([]);
    await expect(executor.finish()).rejects.toMatchObject({ code: 'STORE_INVARIANT' });
  });

  it('closes after the batch at hand, and again without harm', async () => {
    await using sandbox = new Sandbox('native');
    const executor = await sandbox.open();
    const { batch, chunk } = longScript();
    const running = executor.run(batch.bytes(), chunk);
    await Promise.all([executor.close(), executor.close()]);
    await expect(running).resolves.toMatchObject({ warnings: [] });
    expect(readdirSync(sandbox.root)).toHaveLength(50);
    await expect(executor.run(batch.bytes(), chunk)).rejects.toMatchObject({ code: 'STORE_INVARIANT' });
  });

  it('keeps the bytes of a batch alive while it runs, whoever drops them', async () => {
    await using sandbox = new Sandbox('native');
    const executor = openNativeExecutor(nativeCalls(), sandbox.root, DEFAULT_OPTIONS);
    let script: Script | undefined = longScript().file('last', 'x'.repeat(1 << 20));
    const running = executor.run(script.batch.bytes(), script.chunk);
    script = undefined;
    for (let index = 0; index < 50; index++) Buffer.allocUnsafe(1 << 20).fill(index);
    await running;
    expect(readdirSync(sandbox.root)).toContain('last');
    await executor.close();
  });

  it('lets a worker thread end while a batch runs or an executor is left open', async () => {
    await using sandbox = new Sandbox('native');
    const modules = new URL('.', import.meta.url).href;
    const program = `
      const { parentPort } = require('node:worker_threads');
      (async () => {
        const { openExtractExecutor } = await import('${modules}open.js');
        const { Script, DEFAULT_OPTIONS } = await import('${modules}executor.test-support.js');
        const left = await openExtractExecutor('${sandbox.root}', DEFAULT_OPTIONS);
        const executor = await openExtractExecutor('${sandbox.root}', DEFAULT_OPTIONS);
        const script = new Script();
        for (let index = 0; index < 20000; index++) script.file('d' + (index % 50) + '/f' + index, '');
        executor.run(script.batch.bytes(), script.chunk).catch(() => undefined);
        parentPort.postMessage(left !== executor);
      })();`;
    const worker = new Worker(program, { eval: true });
    await new Promise((resolve) => worker.once('message', resolve));
    expect(await worker.terminate()).toBe(1);
  });

  it('takes any bytes for a batch without harm', async () => {
    await using sandbox = new Sandbox('native');
    const original = new Script()
      .directory('d', { xattrs: { 'user.a': Buffer.from('value') } })
      .file('d/f', 'content', { index: 0 })
      .symlink('d/l', 'f')
      .hardlink('d/h', 'd/f')
      .whiteout('d/w');
    const bytes = Buffer.from(original.batch.bytes());
    let state = 12_345;
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const mutated = Buffer.from(bytes);
      for (let change = 0; change < 3; change++) {
        state = (state * 1_103_515_245 + 12_345) % 0x8000_0000;
        mutated[state % mutated.length] = (state >> 8) & 0xff;
      }
      const executor = openNativeExecutor(nativeCalls(), sandbox.root, { ...DEFAULT_OPTIONS, chown: false });
      await executor.run(mutated, original.chunk).catch(() => refused++);
      await executor.close();
    }
    expect(refused).toBeGreaterThan(100);
    expect(readdirSync(sandbox.base).sort()).toEqual(['root', 'stash']);
  });
});
