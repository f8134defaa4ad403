import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runProgram } from '../program/run-program.js';

const COMMAND = fileURLToPath(new URL('../../../packages/cli/dist/bin.js', import.meta.url));
const SIZES = ['dm.basesize=32M', 'dm.fs=ext4', 'dm.loopdatasize=128M', 'dm.loopmetadatasize=8M'];

const devices = (): string[] =>
  execFileSync('dmsetup', ['ls'])
    .toString()
    .split('\n')
    .filter((line) => line !== '' && line !== 'No devices found');
const loops = (): string => execFileSync('losetup', ['-a']).toString();

describe('layer-store --driver devicemapper', () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(process.env.LAYER_STORE_SCRATCH ?? tmpdir(), 'command-'));
  });
  afterEach(() => rmSync(base, { recursive: true }));

  const layerStore = async (...args: readonly string[]): Promise<string> => {
    const where = ['--root', join(base, 'store'), '--driver', 'devicemapper'];
    const run = await runProgram(process.execPath, [COMMAND, ...where, ...args]);
    return run.stdout.trim();
  };

  it('gives every device back with each command, but for a layer that stays mounted over several', async () => {
    writeFileSync(join(base, 'file'), 'content');
    const tar = join(base, 'layer.tar');
    execFileSync('tar', ['-cf', tar, '-C', base, 'file']);
    const options = SIZES.flatMap((size) => ['--driver-option', size]);
    const registered = await layerStore(...options, 'register', tar);
    const chain = /sha256:[0-9a-f]{64}/.exec(registered)?.[0] ?? '';
    expect([devices(), loops()]).toEqual([[], '']);

    await layerStore('rw', 'create', 'web', '--parent', chain);
    const path = await layerStore('rw', 'mount', 'web');
    expect(devices()).toHaveLength(2);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('content');
    writeFileSync(join(path, 'edited'), 'by hand');
    expect(await layerStore('rw', 'changes', 'web')).toContain('A /edited');
    expect(await layerStore('status')).toContain('Data Space Total: 134.2MB');
    expect(readdirSync(path)).toEqual(['edited', 'file']);

    await layerStore('rw', 'commit', 'web');
    await layerStore('rw', 'unmount', 'web');
    expect([devices(), loops()]).toEqual([[], '']);

    await layerStore('export', chain, '-o', join(base, 'out.tar'));
    expect(readFileSync(join(base, 'out.tar')).equals(readFileSync(tar))).toBe(true);
    expect([devices(), loops()]).toEqual([[], '']);
  });
});
