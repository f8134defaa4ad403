import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { runProgram } from '../../program/run-program.js';
import { BLANK_DEVICES, SCRATCH_DEVICE } from '../job.js';
import { MODULES } from './modules.js';

const SCRATCH = '/run/scratch';
const TEMPORARY: string = `${SCRATCH}/tmp`;

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
 * On the scratch disk, not on tmpfs, which in this kernel has no user xattrs, and takes memory. The host's /tmp stays visible: what
 * somebody wants to run may be there.
 */
async function giveTemporaryDirectories(workingDirectory: string): Promise<void> {
  const places = [TEMPORARY, `${SCRATCH}/var-tmp`];
  for (const place of places) {
    mkdirSync(place);
    chmodSync(place, 0o1777);
  }
  // Unless it would hide what is being tested.
  if (!`${workingDirectory}/`.startsWith('/var/tmp/'))
    await mount(['--bind', `${SCRATCH}/var-tmp`, '/var/tmp']);
}

/**
 * File systems, devices and kernel modules that tests expect; gives the environment for the command. Throws what the failing
 * program said.
 */
export async function prepareMachine(
  jobDirectory: string,
  workingDirectory: string,
): Promise<Record<string, string>> {
  await mountTmpfs('/dev/shm', 'mode=1777');
  mkdirSync('/run/home');
  mkdirSync('/dev/pts', { recursive: true });
  await mount(['-t', 'devpts', 'devpts', '/dev/pts']);
  await mount(['-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup']);
  mkdirSync(SCRATCH);
  await mount(['-t', 'ext4', SCRATCH_DEVICE, SCRATCH]);
  await makeWritable('/etc/lvm');
  await giveTemporaryDirectories(workingDirectory);

  for (const name of MODULES) await runProgram('/sbin/modprobe', ['-d', jobDirectory, name]);
  writeFileSync('/proc/sys/kernel/modprobe', `${jobDirectory}/modprobe`);

  return {
    PATH: process.env.PATH ?? '',
    HOME: '/run/home',
    TMPDIR: TEMPORARY,
    TERM: process.env.TERM ?? 'dumb',
    // No udevd runs here, and libdevmapper would wait for it.
    DM_DISABLE_UDEV: '1',
    LAYER_STORE_KERNEL_GUEST: '1',
    LAYER_STORE_SCRATCH: SCRATCH,
    LAYER_STORE_BLOCK_DEVICES: BLANK_DEVICES.join(' '),
  };
}
