import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { describeWithAddon } from './describe-with-addon.test-support.js';
import { EXECUTORS, Sandbox, Script } from './executor.test-support.js';

describeWithAddon.each(EXECUTORS)('displaced payloads, %s executor', (kind) => {
  /** What the scripts displaced and what the stash then holds. */
  async function displacedBy(
    sandbox: Sandbox,
    ...scripts: readonly Script[]
  ): Promise<Record<string, string>> {
    const { displaced } = await sandbox.extract({ stashDirectory: sandbox.stash }, ...scripts);
    const names = readdirSync(sandbox.stash);
    expect(displaced.map(String).sort()).toEqual(names.sort());
    return Object.fromEntries(names.map((name) => [name, readFileSync(`${sandbox.stash}/${name}`, 'utf8')]));
  }

  it('are saved when the name is unpacked again, once each', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .file('a', 'first', { index: 0 })
      .file('a', 'second', { index: 1 })
      .symlink('a', 'third')
      .file('b', 'stays', { index: 2 });
    expect(await displacedBy(sandbox, script)).toEqual({ 0: 'first', 1: 'second' });
    expect(readFileSync(sandbox.path('b'), 'utf8')).toBe('stays');
  });

  it('are saved from trees that go, in the batch that removes them', async () => {
    await using sandbox = new Sandbox(kind);
    const executor = await sandbox.open({ stashDirectory: sandbox.stash });
    const first = new Script()
      .file('d/e/one', '1', { index: 0 })
      .file('d/two', '2', { index: 1 })
      .file('d/none', 'x');
    expect((await executor.run(first.batch.bytes(), first.chunk)).displaced).toEqual([]);
    const second = new Script().file('d', 'now a file', { index: 2 });
    const { displaced } = await executor.run(second.batch.bytes(), second.chunk);
    expect([...displaced].sort((a, b) => a - b)).toEqual([0, 1]);
    expect(readFileSync(`${sandbox.stash}/0`, 'utf8')).toBe('1');
    expect((await executor.finish()).displaced).toEqual([]);
  });

  it('are saved when removed or moved away from their name', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .file('gone', 'g', { index: 0 })
      .remove('gone')
      .file('.p/x', 'scratch')
      .move('.p/x', 'y');
    expect(await displacedBy(sandbox, script)).toEqual({ 0: 'g' });
  });

  it('are not what a whiteout of the same layer names', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script().file('d/a', 'kept', { index: 0 }).whiteout('d/a').opaque('d').whiteout('d');
    expect(await displacedBy(sandbox, script)).toEqual({});
  });

  it('stay where they are when another hard link of them goes', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .file('a', 'content', { index: 0 })
      .hardlink('b', 'a')
      .file('b', 'other', { index: 1 });
    expect(await displacedBy(sandbox, script)).toEqual({});
    const gone = new Script().file('c', 'linked', { index: 0 }).hardlink('d', 'c').symlink('c', 'd');
    expect(await displacedBy(sandbox, gone)).toEqual({ 0: 'linked' });
  });

  it('are found at the end when a link on their path leads elsewhere now', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .directory('x')
      .directory('y')
      .symlink('l', 'x')
      .file('l/same', 'still there', { index: 0 })
      .file('x/direct', 'direct', { index: 1 })
      .symlink('m', 'x')
      .file('m/moved', 'unreachable', { index: 2 })
      .symlink('m', 'y')
      .file('m/moved', 'in its place', { index: 3 });
    expect(await displacedBy(sandbox, script)).toEqual({ 2: 'unreachable' });
    expect(readFileSync(sandbox.path('x/moved'), 'utf8')).toBe('unreachable');
  });

  it('are saved when replaced under their real name', async () => {
    await using sandbox = new Sandbox(kind);
    const script = new Script()
      .symlink('l', 'x')
      .file('l/f', 'through the link', { index: 0 })
      .file('x/f', 'direct', { index: 1 });
    expect(await displacedBy(sandbox, script)).toEqual({ 0: 'through the link' });
  });

  it('are not reported without a stash', async () => {
    await using sandbox = new Sandbox(kind);
    const { displaced } = await sandbox.extract(
      {},
      new Script().file('a', '1', { index: 0 }).file('a', '2', { index: 1 }),
    );
    expect(displaced).toEqual([]);
  });
});
