import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { lockDirectory } from './directory-lock.js';

/** A process that takes the lock, says so, and holds it until it is killed. */
const HOLDER = `
const { lockDirectory } = await import(process.argv[1]);
try {
  await lockDirectory(process.argv[2], { portable: process.argv[3] === 'portable' });
  console.log('held');
  setInterval(() => undefined, 1000);
} catch (error) {
  console.log(error.code + ' ' + error.message);
}`;

const MODULE = path.join(import.meta.dirname, 'directory-lock.js');

let directory: string;
const children: ReturnType<typeof spawn>[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lock-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  await rm(directory, { recursive: true });
});

async function otherProcess(mode: string): Promise<{ child: ReturnType<typeof spawn>; said: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, MODULE, directory, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

async function kill(child: ReturnType<typeof spawn>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

describe.each(['portable', ...(native.available ? ['kernel'] : [])])('directory lock (%s)', (mode) => {
  const options = { portable: mode === 'portable' };

  it('is refused to a second opener in the process, by whatever path, and free again after the release', async () => {
    const lock = await lockDirectory(directory, options);
    const alias = `${directory}-alias`;
    await symlink(directory, alias);
    try {
      for (const same of [directory, alias]) {
        await expect(lockDirectory(same, options)).rejects.toMatchObject({
          code: 'STORE_LOCKED',
          message: expect.stringContaining('open in this process already'),
        });
      }
      await lock.release();
      const again = await lockDirectory(alias, options);
      await again.release();
    } finally {
      await rm(alias);
    }
  });

  it('a refused opener does not weaken the lock of the holder', async () => {
    const lock = await lockDirectory(directory, options);
    await expect(lockDirectory(directory, options)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    const { said } = await otherProcess(mode);
    expect(said).toContain('STORE_LOCKED');
    await lock.release();
  });

  it('is refused while another process holds it, with its pid, and free once that is killed', async () => {
    const { child, said } = await otherProcess(mode);
    expect(said).toBe('held');
    await expect(lockDirectory(directory, options)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      actual: String(child.pid),
    });
    await kill(child);
    const lock = await lockDirectory(directory, options);
    await lock.release();
  });

  it('the two kinds of lock keep each other out', async () => {
    const { said } = await otherProcess(mode === 'portable' ? 'kernel' : 'portable');
    expect(said).toBe('held');
    await expect(lockDirectory(directory, options)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  it('a description left by an earlier boot, a dead process or a torn write is no lock', async () => {
    const holder = path.join(directory, 'lock.holder');
    for (const stale of [
      JSON.stringify({ pid: process.pid, bootId: 'another', pidNamespace: 'x', startTime: '1' }),
      '{"pid":',
      '',
    ]) {
      await writeFile(holder, stale);
      const lock = await lockDirectory(directory, options);
      expect(JSON.parse(await readFile(holder, 'utf8'))).toMatchObject({ pid: process.pid });
      await lock.release();
    }
  });

  it('a process with the pid of a dead holder is not taken for it', async () => {
    const lock = await lockDirectory(directory, options);
    const holder = path.join(directory, 'lock.holder');
    const mine = JSON.parse(await readFile(holder, 'utf8')) as Record<string, unknown>;
    await lock.release();
    await writeFile(holder, JSON.stringify({ ...mine, startTime: '1', kernelLock: false }));
    const again = await lockDirectory(directory, options);
    await again.release();
  });

  it('leaves no descriptions of contenders behind', async () => {
    await writeFile(path.join(directory, 'lock.holder.1-dead'), '{}');
    const lock = await lockDirectory(directory, options);
    expect((await readdir(directory)).filter((name) => name.startsWith('lock.holder.'))).toEqual([]);
    await lock.release();
    expect(await readdir(directory)).not.toContain('lock.holder');
  });
});
