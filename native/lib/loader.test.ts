import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeAddon, useDirectory } from './addon.test-support.js';
import { locateAddon, platformName } from './candidates.js';
import { loadFrom, loadNative, native } from './loader.js';

const index: string = new URL('./index.js', import.meta.url).href;

/** What a fresh process sees with this LAYER_STORE_NATIVE. */
function stateWith(override: string): { available: boolean; reason?: string; path?: string } {
  const script = `import { native, loadNative } from ${JSON.stringify(index)};
    const { available, reason, path } = native;
    process.stdout.write(JSON.stringify({ available, reason, path, same: loadNative() === loadNative() }));`;
  const env = { ...process.env, LAYER_STORE_NATIVE: override };
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { env, encoding: 'utf8' }),
  ) as never;
}

describe('loading the addon', () => {
  const directory = useDirectory();
  const touch = (name: string): string => {
    const path = directory.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'not a shared object');
    return path;
  };
  const locate = (override?: string): ReturnType<typeof locateAddon> =>
    locateAddon({ override, packageRoot: directory.at('.'), platform: 'linux-x64' });

  it('is off when LAYER_STORE_NATIVE says so, whatever is there', () => {
    touch('build/Release/layer_store_native.node');
    expect(locate('off')).toEqual({ found: false, reason: 'disabled by LAYER_STORE_NATIVE=off' });
    expect(stateWith('off')).toMatchObject({
      available: false,
      reason: 'disabled by LAYER_STORE_NATIVE=off',
    });
  });

  it('takes the override, then the prebuilt addon, then the built one', () => {
    const built = touch('build/Release/layer_store_native.node');
    expect(locate()).toEqual({ found: true, path: built });
    const prebuilt = touch('prebuilds/linux-x64/layer_store_native.node');
    expect(locate()).toEqual({ found: true, path: prebuilt });
    expect(locate('')).toEqual({ found: true, path: prebuilt });
    const override = touch('mine.node');
    expect(locate(override)).toEqual({ found: true, path: override });
  });

  it('does not take the addon of another platform', () => {
    touch('prebuilds/linux-arm64/layer_store_native.node');
    expect(locate().found).toBe(false);
  });

  it('says what was looked for and how to build it when there is none', () => {
    const location = locate();
    expect(location).toMatchObject({ found: false });
    expect(location.found || location.reason).toMatch(
      /no addon for linux-x64 in .*prebuilds.*npx build-native/,
    );
  });

  it('does not fall back when the override is missing', () => {
    touch('build/Release/layer_store_native.node');
    const missing = directory.at('missing.node');
    expect(locate(missing)).toEqual({
      found: false,
      reason: `LAYER_STORE_NATIVE names ${missing}, which does not exist`,
    });
  });

  it('reports a file that is there but does not load, without throwing', () => {
    const broken = touch('broken.node');
    const state = stateWith(broken);
    expect(state.available).toBe(false);
    expect(state.reason).toContain(`${broken} is there but does not load`);
    expect(loadFrom({ found: true, path: broken })).toMatchObject({ available: false });
  });

  it('is remembered', () => {
    expect(loadNative()).toBe(loadNative());
    expect(native.available).toBe(loadNative().available);
    expect(native.reason).toBe(loadNative().reason);
  });

  it('names the platform as process does', () => {
    expect(platformName()).toMatch(new RegExp(`^${process.platform}-${process.arch}(\\.musl)?$`));
  });

  it('has an addon in CI, unless it is switched off', () => {
    if (process.env.CI !== undefined && process.env.LAYER_STORE_NATIVE !== 'off')
      expect(native.reason).toBeUndefined();
    else expect(typeof native.available).toBe('boolean');
  });
});

describeAddon('the loaded addon', (calls) => {
  it('answers for every feature', () => {
    const features = native.available ? native.features : undefined;
    for (const name of ['openat2', 'renameat2', 'fchmodat2', 'fsopen', 'mountSetattr', 'ofdLocks'] as const) {
      expect(typeof features?.[name]).toBe('boolean');
    }
    expect(['vpclmulqdq', 'pclmulqdq', 'table']).toContain(features?.crc64);
    expect([true, false, undefined]).toContain(features?.ficlone);
    expect(calls.pageSize()).toBeGreaterThanOrEqual(4096);
  });

  it('works in a worker thread', () => {
    const path = native.available ? native.path : '';
    const script = `const { Worker } = require('node:worker_threads');
      const code = "const n = require(" + ${JSON.stringify(JSON.stringify(path))} + ");"
        + "n.readlinkat(-100, '/proc/self').then((link) => require('node:worker_threads').parentPort.postMessage(String(link)))";
      new Worker(code, { eval: true }).on('message', (link) => process.stdout.write(String(Number(link) === process.pid)));`;
    expect(execFileSync(process.execPath, ['--eval', script], { encoding: 'utf8' })).toBe('true');
  });

  it('survives a process that exits while calls are under way', () => {
    const script = `import { loadNative } from ${JSON.stringify(index)};
      const { calls } = loadNative();
      for (let i = 0; i < 64; i++) calls.statfs('/').catch(() => {});
      process.exit(7);`;
    let status: unknown;
    try {
      execFileSync(process.execPath, ['--input-type=module', '--eval', script]);
    } catch (error) {
      status = (error as { status?: unknown }).status;
    }
    expect(status).toBe(7);
  });
});
