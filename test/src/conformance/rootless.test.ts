import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WORK_DIRECTORY } from './machine.test-support.js';

const COMMAND = fileURLToPath(new URL('./command/bin.js', import.meta.url));
const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;
/** The whole suite, in a process that starts anew. Milliseconds. */
const TIME = 600_000;

let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(WORK_DIRECTORY, 'layer-rootless-'));
  if (asRoot) chownSync(home, NOBODY, NOBODY);
});

afterEach(() => rm(home, { recursive: true, force: true }));

interface Line {
  readonly type: 'check' | 'summary';
  readonly family?: string;
  readonly name?: string;
  readonly outcome?: string;
  readonly failure?: { readonly message: string };
  readonly ok?: boolean;
  readonly facts?: { readonly root: boolean };
  readonly unsupported?: { readonly reason: string; readonly remedy: string };
}

/** The command as an ordinary user. */
async function run(...args: readonly string[]): Promise<{ code: number | null; lines: Line[] }> {
  const child = spawn(process.execPath, [COMMAND, ...args, '--home', home, '--json'], {
    cwd: path.dirname(COMMAND),
    env: { PATH: '/usr/bin:/bin', LAYER_STORE_NATIVE: process.env.LAYER_STORE_NATIVE ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIME,
    ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const text = Buffer.concat(chunks).toString().trimEnd();
  return { code, lines: text.split('\n').map((line) => JSON.parse(line) as Line) };
}

describe('conformance without root', () => {
  it.each([
    ['vfs', '@x/driver-vfs'],
    ['fuse-overlayfs', '@x/driver-overlay'],
  ])(
    '%s passes the whole suite as an ordinary user',
    async (name, module) => {
      const { code, lines } = await run(module, '--name', name);
      const summary = lines.at(-1);
      const cannotRun = summary?.unsupported;
      if (cannotRun !== undefined && process.env.CI !== 'true') {
        console.warn(`skipped: ${name} without root: ${cannotRun.reason}; ${cannotRun.remedy}`);
        return;
      }
      const failed = lines.filter(({ outcome }) => outcome === 'fail');
      expect(
        failed.map(({ family, name: check, failure }) => `${family}: ${check}: ${failure?.message}`),
      ).toEqual([]);
      expect(cannotRun).toBeUndefined();
      expect(summary).toMatchObject({ type: 'summary', ok: true, facts: { root: false } });
      expect(code).toBe(0);
    },
    TIME,
  );
});
