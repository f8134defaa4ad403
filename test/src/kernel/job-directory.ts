import { chmod, copyFile, mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runProgram } from '../program/run-program.js';
import { type GuestOutcome, JOB_FILE, type Job, OUTCOME_FILE } from './job.js';

const sources: string = path.resolve(import.meta.dirname, '../../kernel');
const UML_MODULES = '/usr/lib/uml/modules';
/** Sparse: they take what is written to them. */
const DISK_BYTES = 4 * 2 ** 30;

/** Everything of one guest on the host: a directory of its own, so that guests do not know of each other. */
export interface JobDirectory extends AsyncDisposable {
  readonly path: string;
  /** Images of the guest's block devices: the scratch ext4, then the blank ones. */
  readonly disks: readonly string[];
  /** Preloaded into User-Mode Linux; test/kernel/uml-preload.c says why. */
  readonly preload: string;
  readOutcome(): Promise<GuestOutcome | undefined>;
}

async function makeDisk(file: string): Promise<string> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.truncate(DISK_BYTES);
  } finally {
    await handle.close();
  }
  return file;
}

async function readOutcome(directory: string): Promise<GuestOutcome | undefined> {
  try {
    return JSON.parse(await readFile(`${directory}/${OUTCOME_FILE}`, 'utf8')) as GuestOutcome;
  } catch {
    // Absent, or cut short by the guest's death.
    return undefined;
  }
}

async function fill(directory: string, job: Job): Promise<readonly string[]> {
  for (const script of ['init', 'modprobe']) {
    await copyFile(`${sources}/${script}`, `${directory}/${script}`);
    await chmod(`${directory}/${script}`, 0o755);
  }
  // Links, so that the scripts have nothing to quote.
  await symlink(process.execPath, `${directory}/node`);
  await symlink(`${import.meta.dirname}/guest/main.js`, `${directory}/guest.js`);
  await mkdir(`${directory}/lib`);
  await symlink(UML_MODULES, `${directory}/lib/modules`);
  await writeFile(`${directory}/${JOB_FILE}`, JSON.stringify(job));

  const disks = await Promise.all(
    ['scratch', 'blank-1', 'blank-2'].map((name) => makeDisk(`${directory}/${name}.img`)),
  );
  // The inode tables are written when they are used, not now.
  const format = ['-q', '-F', '-E', 'lazy_itable_init=1,nodiscard'];
  await runProgram('/sbin/mkfs.ext4', [...format, ...disks.slice(0, 1)]);
  const compile = ['-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];
  await runProgram('gcc', [
    ...compile,
    '-o',
    `${directory}/uml-preload.so`,
    `${sources}/uml-preload.c`,
    '-ldl',
  ]);
  return disks;
}

/** Makes the directory, under the system's directory for temporary files. Disposing of it removes it, unless `keep`. */
export async function createJobDirectory(job: Job, keep: boolean): Promise<JobDirectory> {
  const directory = await mkdtemp(`${os.tmpdir()}/layer-store-kernel-`);
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    return {
      path: directory,
      disks: await fill(directory, job),
      preload: `${directory}/uml-preload.so`,
      readOutcome: () => readOutcome(directory),
      [Symbol.asyncDispose]: () => (keep ? Promise.resolve() : remove()),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
