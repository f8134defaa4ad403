import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { findProgram } from '../program/find-program.js';
import { runProgram } from '../program/run-program.js';

/** One measurement of one contestant. */
export interface Sample {
  readonly seconds: number;
  readonly maxRssMiB?: number;
}

export interface Register extends Sample {
  readonly chainId: string;
}

interface SubjectOutput extends Sample {
  readonly firstSeconds?: number;
  readonly chainId?: string;
  readonly layers?: number;
}

const SUBJECT = path.join(import.meta.dirname, 'subject.js');

/** Docker's own store, when ../shared/peers/build-moby-layer.sh has been run. */
export function mobyLayer(): string | undefined {
  return findProgram('moby-layer');
}

/** How {@link subject} runs an operation. */
export interface SubjectSetting {
  /** Without the addon. */
  readonly portable?: boolean;
  /** Default vfs. */
  readonly driver?: string;
}

/** Runs one operation of subject.ts in a process of its own. */
export async function subject(
  args: readonly string[],
  { portable = false, driver = 'vfs' }: SubjectSetting = {},
): Promise<SubjectOutput> {
  const { stdout } = await runProgram(process.execPath, [SUBJECT, ...args], {
    env: { BENCH_DRIVER: driver, ...(portable ? { LAYER_STORE_NATIVE: 'off' } : {}) },
    timeoutSeconds: 1800,
  });
  return JSON.parse(stdout) as SubjectOutput;
}

/** One operation of Docker's store. The last line of its output is the operation. */
export async function moby(
  root: string,
  args: readonly string[],
  count = 1,
  driver = 'vfs',
): Promise<SubjectOutput & { readonly chainID?: string }> {
  const program = mobyLayer();
  if (program === undefined) throw new Error('moby-layer is not installed');
  const { stdout } = await runProgram(
    program,
    ['-root', root, '-driver', driver, '-n', String(count), ...args],
    { timeoutSeconds: 1800 },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as SubjectOutput & { readonly chainID?: string };
}

/** GNU tar, timed as a whole process: it has no other clock. */
export async function gnuTarExtract(target: string, file: string): Promise<Sample> {
  const { seconds } = await runProgram('/usr/bin/tar', [
    '--xattrs',
    '--xattrs-include=*',
    '-C',
    target,
    '-xf',
    file,
  ]);
  return { seconds };
}

/** What a second layer by hard links costs at least: the parent's tree linked whole. */
export async function linkTree(source: string, target: string): Promise<Sample> {
  const { seconds } = await runProgram('/usr/bin/cp', ['-al', '--', source, target]);
  return { seconds };
}

export async function gnuTarCreate(source: string, file: string): Promise<Sample> {
  const { seconds } = await runProgram('/usr/bin/tar', ['--xattrs', '-C', source, '-cf', file, '.']);
  return { seconds };
}

/** Runs `work` on an empty directory that is removed afterwards, outside the measurement. */
export async function inFreshDirectory<T>(
  parent: string,
  name: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = path.join(parent, name);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
