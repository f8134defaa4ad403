import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { dockerStore, itWith } from '../capability/capability.js';
import { runProgram } from '../program/run-program.js';

const OPTIONS = [
  'dm.override_udev_sync_check=true',
  'dm.loopdatasize=2G',
  'dm.loopmetadatasize=64M',
  'dm.basesize=1G',
  'dm.fs=ext4',
].join(' ');

const withDocker = itWith(dockerStore());

describe("Docker's own devicemapper driver", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(`${os.tmpdir()}/docker-driver-`);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const moby = async (...args: readonly string[]): Promise<string> => {
    const store = ['-root', `${directory}/store`, '-driver', 'devicemapper', '-opts', OPTIONS];
    return (await runProgram('/usr/local/bin/moby-layer', [...store, ...args])).stdout;
  };

  withDocker('makes, opens again and exports a layer in the guest, and leaves no device', async () => {
    writeFileSync(`${directory}/file`, 'content');
    const tar = `${directory}/layer.tar`;
    execFileSync('/bin/tar', ['-cf', tar, '-C', directory, 'file']);
    const digest = createHash('sha256').update(readFileSync(tar)).digest('hex');

    const registered = await moby('register', tar);
    const chainId = `sha256:${digest}`;
    expect(registered).toContain(`"diffID":"${chainId}"`);
    await moby('export', chainId, `${directory}/out.tar`);
    expect(readFileSync(`${directory}/out.tar`).equals(readFileSync(tar))).toBe(true);

    expect((await runProgram('/sbin/dmsetup', ['ls'])).stdout).toBe('No devices found\n');
    expect((await runProgram('/sbin/losetup', ['-a'])).stdout).toBe('');
  });
});
