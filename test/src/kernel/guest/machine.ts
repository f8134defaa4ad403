import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { runProgram } from '../../program/run-program.js';
import { BLANK_DEVICES, SCRATCH_DEVICE } from '../job.js';
import { MODULES } from './modules.js';

const SCRATCH = '/run/scratch';

async function mount(args: readonly string[]): Promise<void> {
  await runProgram('/bin/mount', args);
}

async function mountTmpfs(directory: string, options: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  await mount(['-t', 'tmpfs', '-o', options, 'tmpfs', directory]);
}

/** Programs that insist on writing beside their configuration get a copy of it: the root is the host's, and read-only. */
async function makeWritable(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  const copy = `/run/writable${directory}`;
  mkdirSync(copy, { recursive: true });
  cpSync(directory, copy, { recursive: true });
  await mount(['--bind', copy, directory]);
}

/**
 * File systems, devices and kernel modules that tests expect; gives the environment for the command. Throws what the failing
 * program said.
 */
export async function prepareMachine(jobDirectory: string): Promise<Record<string, string>> {
  await mountTmpfs('/dev/shm', 'mode=1777');
  await mountTmpfs('/run/tmp', 'mode=1777,size=75%');
  mkdirSync('/run/home');
  mkdirSync('/dev/pts', { recursive: true });
  await mount(['-t', 'devpts', 'devpts', '/dev/pts']);
  await mount(['-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup']);
  mkdirSync(SCRATCH);
  await mount(['-t', 'ext4', SCRATCH_DEVICE, SCRATCH]);
  await makeWritable('/etc/lvm');

  for (const name of MODULES) await runProgram('/sbin/modprobe', ['-d', jobDirectory, name]);
  writeFileSync('/proc/sys/kernel/modprobe', `${jobDirectory}/modprobe`);

  return {
    PATH: process.env.PATH ?? '',
    HOME: '/run/home',
    TMPDIR: '/run/tmp',
    TERM: process.env.TERM ?? 'dumb',
    // No udevd runs here, and libdevmapper would wait for it.
    DM_DISABLE_UDEV: '1',
    LAYER_STORE_KERNEL_GUEST: '1',
    LAYER_STORE_SCRATCH: SCRATCH,
    LAYER_STORE_BLOCK_DEVICES: BLANK_DEVICES.join(' '),
  };
}
