import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect } from '@jest/globals';
import { itWith, program, rootPrivilege } from '../capability/capability.js';

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** On the disk: the guest does not see the host's /dev/shm. */
async function scratchDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const directory = await mkdtemp(`${os.tmpdir()}/layer-store-test-`);
  return { path: directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

const harness: string = path.join(import.meta.dirname, 'main.js');

/** `kill`: a signal for the harness as soon as the text is in its output. */
function runHarness(
  args: readonly string[],
  temporary: string,
  kill?: { readonly signal: NodeJS.Signals; readonly at: string },
): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, TMPDIR: temporary } };
    const child = execFile(process.execPath, [harness, ...args], options, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
    if (kill !== undefined)
      child.stdout?.on('data', (text: string) => {
        if (text.includes(kill.at)) child.kill(kill.signal);
      });
  });
}

/** Processes whose command line names the directory: a guest's kernel has its job directory there. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(directory);
    } catch {
      return false;
    }
  });
}

const inGuest = itWith(
  rootPrivilege(),
  program('linux.uml', 'apt-get install user-mode-linux'),
  program('gcc', 'apt-get install gcc'),
);
const LIMIT = 120_000;

describe('the kernel harness', () => {
  inGuest(
    'brings back output and exit code, and leaves nothing behind',
    async () => {
      await using scratch = await scratchDirectory();
      const script = 'echo $LAYER_STORE_KERNEL_GUEST; uname -r; cat /proc/modules; echo oops >&2; exit 3';
      const answer = await runHarness(['--guest-run', 'sh', '-c', script], scratch.path);
      expect(answer.exitCode).toBe(3);
      expect(answer.stdout).toMatch(/^1\n6\.\S+\n/m);
      expect(answer.stdout).toMatch(/^dm_thin_pool /m);
      expect(answer.stdout).toMatch(/^oops$/m);
      expect(readdirSync(scratch.path)).toEqual([]);
    },
    LIMIT,
  );

  inGuest(
    'keeps the guest’s hands off the host, but for what is the guest’s own',
    async () => {
      await using scratch = await scratchDirectory();
      const marker = `${scratch.path}/marker`;
      const script = [
        `touch ${marker} 2>/dev/null; echo "host: $?"`,
        'for at in "$TMPDIR" "$LAYER_STORE_SCRATCH" /dev/shm "$HOME" /etc/lvm; do touch "$at/marker" || exit 9; done',
        'for device in $LAYER_STORE_BLOCK_DEVICES; do blockdev --getsize64 "$device"; done',
        'echo mine > /dev/ubdb',
      ].join('\n');
      const answer = await runHarness(['--guest-run', 'sh', '-c', script], scratch.path);
      expect(answer.exitCode).toBe(0);
      expect(answer.stdout).toMatch(/^host: 1\n4294967296\n4294967296$/m);
      expect(existsSync(marker)).toBe(false);
      expect(existsSync('/etc/lvm/marker')).toBe(false);
    },
    LIMIT,
  );

  inGuest(
    'fails with the console’s tail when the kernel panics',
    async () => {
      await using scratch = await scratchDirectory();
      const answer = await runHarness(
        ['--guest-run', 'sh', '-c', 'echo before > /dev/console; echo c > /proc/sysrq-trigger; sleep 60'],
        scratch.path,
      );
      expect(answer.exitCode).toBe(70);
      expect(answer.stderr).toMatch(/panicked: Kernel panic - not syncing/);
      expect(answer.stderr).toMatch(/\| before$/m);
      expect(readdirSync(scratch.path)).toEqual([]);
    },
    LIMIT,
  );

  inGuest(
    'fails when the guest is switched off under the command',
    async () => {
      await using scratch = await scratchDirectory();
      const answer = await runHarness(
        ['--guest-run', 'sh', '-c', 'echo o > /proc/sysrq-trigger; sleep 60'],
        scratch.path,
      );
      expect(answer.exitCode).toBe(70);
      expect(answer.stderr).toMatch(/died without an outcome/);
    },
    LIMIT,
  );

  inGuest(
    'fails when time is up, and kills all there was of the guest',
    async () => {
      await using scratch = await scratchDirectory();
      const answer = await runHarness(
        ['--guest-timeout=6', '--guest-run', 'sh', '-c', 'echo waiting; sleep 1000'],
        scratch.path,
      );
      expect(answer.exitCode).toBe(70);
      expect(answer.stderr).toMatch(/no end after 6 s[\s\S]*\| waiting$/m);
      expect(processesOf(scratch.path)).toEqual([]);
      expect(readdirSync(scratch.path)).toEqual([]);
    },
    LIMIT,
  );

  inGuest(
    'takes the guest with it when it is told to end',
    async () => {
      await using scratch = await scratchDirectory();
      const script = 'echo waiting; sleep 1000';
      const answer = await runHarness(['--guest-run', 'sh', '-c', script], scratch.path, {
        signal: 'SIGTERM',
        at: 'waiting',
      });
      expect(answer).toMatchObject({
        exitCode: 70,
        stderr: expect.stringMatching(/died without an outcome \(SIGKILL\)/),
      });
      expect(processesOf(scratch.path)).toEqual([]);
      expect(readdirSync(scratch.path)).toEqual([]);
    },
    LIMIT,
  );

  inGuest(
    'takes the guest with it when it is killed',
    async () => {
      await using scratch = await scratchDirectory();
      await runHarness(['--guest-run', 'sh', '-c', 'echo waiting; sleep 1000'], scratch.path, {
        signal: 'SIGKILL',
        at: 'waiting',
      });
      // The kernel of the host sees to that, a moment later.
      const deadline = Date.now() + 20_000;
      while (processesOf(scratch.path).length > 0 && Date.now() < deadline) await setImmediate();
      expect(processesOf(scratch.path)).toEqual([]);
    },
    LIMIT,
  );

  inGuest(
    'says that a command does not exist, and that an option does not',
    async () => {
      await using scratch = await scratchDirectory();
      const missing = await runHarness(['--guest-run', 'no-such-program'], scratch.path);
      expect(missing).toMatchObject({
        exitCode: 70,
        stderr: expect.stringMatching(/no-such-program.*ENOENT/),
      });
      const usage = await runHarness(['--guest-what'], scratch.path);
      expect(usage).toMatchObject({
        exitCode: 64,
        stderr: expect.stringMatching(/unknown option '--guest-what'/),
      });
    },
    LIMIT,
  );
});
