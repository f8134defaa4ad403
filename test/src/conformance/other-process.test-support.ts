import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { WORK_DIRECTORY } from './machine.test-support.js';

const COMMAND = fileURLToPath(new URL('./command/bin.js', import.meta.url));
const NOBODY = 65_534;
/** The whole suite, in a process that starts anew. Milliseconds. */
export const SUITE_TIME = 900_000;

/** How the command is run. */
export interface OtherProcess {
  /** As nobody; where the tests are run without root, as the user they are run by. */
  readonly unprivileged?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Kinds of random edits left out. */
  readonly without?: readonly string[];
}

/** What the command says in its last line. */
export interface Summary {
  readonly type: string;
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly facts: { readonly root: boolean; readonly native: boolean };
  readonly unsupported?: { readonly reason: string; readonly remedy: string };
}

interface CheckLine {
  readonly family: string;
  readonly name: string;
  readonly outcome: string;
  readonly failure?: { readonly message: string };
}

/**
 * Runs the command for a driver in a process of its own and expects that nothing failed. Undefined: the driver cannot run like this,
 * which is printed, and in CI (CI=true) a failure.
 */
export async function expectConformance(
  name: string,
  module: string,
  how: OtherProcess,
): Promise<Summary | undefined> {
  const asNobody = how.unprivileged === true && process.getuid?.() === 0;
  const home = mkdtempSync(path.join(WORK_DIRECTORY, 'layer-other-'));
  if (asNobody) chownSync(home, NOBODY, NOBODY);
  const without = (how.without ?? []).flatMap((kind) => ['--without', kind]);
  try {
    const { code, lines } = await run(
      [module, '--name', name, '--home', home, '--json', ...without],
      asNobody,
      how.env,
    );
    const summary = lines.pop() as Summary;
    if (summary.unsupported !== undefined && process.env.CI !== 'true') {
      console.warn(`skipped: ${name}: ${summary.unsupported.reason}; ${summary.unsupported.remedy}`);
      return undefined;
    }
    const failed = (lines as CheckLine[]).filter(({ outcome }) => outcome === 'fail');
    expect(failed.map((line) => `${line.family}: ${line.name}: ${line.failure?.message}`)).toEqual([]);
    expect(summary).toMatchObject({ type: 'summary', ok: true, failed: 0 });
    expect(code).toBe(0);
    return summary;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function run(
  args: readonly string[],
  asNobody: boolean,
  env: OtherProcess['env'],
): Promise<{ code: number | null; lines: unknown[] }> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: path.dirname(COMMAND),
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: SUITE_TIME,
    ...(asNobody ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const text = Buffer.concat(chunks).toString().trimEnd();
  return { code, lines: text.split('\n').map((line): unknown => JSON.parse(line)) };
}
