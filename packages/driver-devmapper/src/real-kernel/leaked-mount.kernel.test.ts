import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { activeDevices, attachedLoops, DriverBench } from './driver-bench.test-support.js';

/** A process in a mount namespace of its own, with copies of all mounts; `inside` keeps a directory in use there. */
async function otherNamespace(inside?: string): Promise<ChildProcess> {
  const child = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', 'echo ready; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: inside ?? '/',
  });
  if (child.stdout === null) throw new Error('no output');
  await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.stdin?.end();
  await ended;
}

describe('a layer that is mounted in another mount namespace', () => {
  let bench: DriverBench;

  beforeEach(async () => {
    bench = await DriverBench.open();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(activeDevices()).toEqual([]);
    expect(attachedLoops()).toEqual([]);
  });

  it('is unmounted there with its mount point, without any deferring (MountLeaks)', async () => {
    const driver = await bench.driver({
      'dm.use_deferred_removal': 'false',
      'dm.use_deferred_deletion': 'false',
    });
    await driver.create('a');
    const path = await driver.get('a');
    writeFileSync(join(path, 'file'), 'content');
    const other = await otherNamespace();
    await driver.put('a');
    expect(activeDevices().some((name) => name.endsWith('-a'))).toBe(false);
    await driver.remove('a');
    expect(await driver.list()).toEqual([]);
    await end(other);
  });

  it('and in use there is deleted later: its id is free at once, the worker finishes it', async () => {
    const driver = await bench.driver();
    await driver.create('a');
    const path = await driver.get('a');
    const other = await otherNamespace(path);
    await driver.put('a');
    await driver.remove('a');
    expect(await driver.exists('a')).toBe(false);
    const count = async (): Promise<string | undefined> =>
      new Map(await driver.status()).get('Deferred Deleted Device Count');
    expect(await count()).toBe('1');
    await driver.create('a');
    await driver.deviceSet.deleteTombstones();
    expect(await count()).toBe('1');
    await end(other);
    await driver.deviceSet.deleteTombstones();
    expect(await count()).toBe('0');
    await driver.withMount('a', async (mounted) => writeFileSync(join(mounted, 'file'), 'of the new one'));
  });
});
