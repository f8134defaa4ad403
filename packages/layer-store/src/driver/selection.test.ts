import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SILENT_LOGGER } from '../events.js';
import type { ProbeResult } from './contract.js';
import { type DriverFactory, DriverRegistry } from './registry.js';
import { planSelection, selectDriver } from './selection.js';

const SUPPORTED: ProbeResult = { supported: true, warnings: [] };

function refused(code: Extract<ProbeResult, { supported: false }>['code']): ProbeResult {
  return { supported: false, code, reason: `because of ${code}`, remedy: 'do something' };
}

function factory(name: string, result: ProbeResult = SUPPORTED, deprecated = false): DriverFactory {
  return {
    name,
    deprecated,
    probe: async () => result,
    create: () => {
      throw new Error('not created here');
    },
  };
}

describe('planSelection', () => {
  const candidate = (name: string, hasState = false, deprecated = false) => ({ name, hasState, deprecated });

  it('binds to the driver that has state, wherever it is in the list', () => {
    const plan = planSelection([candidate('a'), candidate('b', true)], ['a', 'b']);
    expect(plan).toEqual({ kind: 'prior', name: 'b' });
  });

  it('state of vfs binds only where no other driver has any', () => {
    const vfs = candidate('vfs', true);
    expect(planSelection([vfs, candidate('a')], ['a', 'vfs'])).toEqual({ kind: 'prior', name: 'vfs' });
    expect(planSelection([vfs, candidate('a', true)], ['a'])).toEqual({ kind: 'prior', name: 'a' });
  });

  it('leaves the choice to the user when several have state', () => {
    const plan = planSelection([candidate('a', true), candidate('vfs', true), candidate('b', true)], ['a']);
    expect(plan).toEqual({ kind: 'ambiguous', names: ['a', 'b'] });
  });

  it('goes by priority, then by registration, and leaves deprecated drivers out unless they are in the list', () => {
    const all = [candidate('old', false, true), candidate('extra'), candidate('b'), candidate('a')];
    expect(planSelection(all, ['a', 'missing', 'b'])).toEqual({ kind: 'probe', names: ['a', 'b', 'extra'] });
    expect(planSelection(all, ['old'])).toEqual({ kind: 'probe', names: ['old', 'extra', 'b', 'a'] });
  });
});

describe('selectDriver', () => {
  let root: string;
  const options = { logger: SILENT_LOGGER, priority: ['a', 'b', 'vfs'] };

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'selection-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('passes over drivers that cannot run here, whatever kind of refusal', async () => {
    const registry = new DriverRegistry([
      factory('a', refused('DRIVER_NOT_SUPPORTED')),
      factory('b', refused('DRIVER_PREREQUISITES')),
      factory('c', refused('DRIVER_INCOMPATIBLE_FS')),
      factory('vfs'),
    ]);
    expect((await selectDriver(registry, root, options)).name).toBe('vfs');
    expect(await readdir(root)).toEqual([]);
  });

  it('stops at a driver whose probe failed', async () => {
    const registry = new DriverRegistry([factory('a', refused('DRIVER_FAILED')), factory('vfs')]);
    await expect(selectDriver(registry, root, options)).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      driver: 'a',
    });
  });

  it('does not hop to another driver when the one with state cannot run', async () => {
    await mkdir(path.join(root, 'a'));
    await writeFile(path.join(root, 'a', 'layer'), '');
    const registry = new DriverRegistry([factory('a', refused('DRIVER_PREREQUISITES')), factory('vfs')]);
    await expect(selectDriver(registry, root, options)).rejects.toMatchObject({
      code: 'DRIVER_PREREQUISITES',
    });
  });

  it('an empty home is no state', async () => {
    await mkdir(path.join(root, 'b'));
    const registry = new DriverRegistry([factory('a'), factory('b')]);
    expect((await selectDriver(registry, root, options)).name).toBe('a');
  });

  it('asks which when several have state, and says so when none can run', async () => {
    for (const name of ['a', 'b']) {
      await mkdir(path.join(root, name));
      await writeFile(path.join(root, name, 'layer'), '');
    }
    const both = new DriverRegistry([factory('a'), factory('b')]);
    await expect(selectDriver(both, root, options)).rejects.toMatchObject({
      code: 'DRIVER_AMBIGUOUS',
      actual: 'a, b',
    });
    const none = new DriverRegistry([factory('vfs', refused('DRIVER_NOT_SUPPORTED'))]);
    await expect(selectDriver(none, root, options)).rejects.toMatchObject({ code: 'DRIVER_NOT_SUPPORTED' });
  });

  it('a registry refuses duplicates and names what it does not have', () => {
    const registry = new DriverRegistry([factory('a')]);
    expect(() => registry.register(factory('a'))).toThrow(
      expect.objectContaining({ code: 'DRIVER_DUPLICATE' }),
    );
    expect(() => registry.require('b')).toThrow(
      expect.objectContaining({ code: 'DRIVER_UNKNOWN', driver: 'b' }),
    );
  });
});
