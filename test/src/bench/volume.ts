import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { findProgram } from '../program/find-program.js';
import { runProgram } from '../program/run-program.js';

const MEMORY = '/dev/shm';

/** A place to measure on, in memory, so that no disk is measured. */
export interface Volume extends AsyncDisposable {
  readonly kind: 'tmpfs' | 'ext4';
  readonly path: string;
}

/** A directory on the machine's tmpfs. */
export async function tmpfsVolume(): Promise<Volume> {
  const path = await mkdtemp(`${MEMORY}/layer-store-bench-`);
  return { kind: 'tmpfs', path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/**
 * A fresh ext4 with a journal on a loop file in memory. The machine's own root may have no journal and discard on line, which
 * would be what is measured (spec/field.md 3.1). Needs root, mkfs.ext4 and mount.
 */
export async function ext4Volume(gibibytes: number): Promise<Volume> {
  const directory = await mkdtemp(`${MEMORY}/layer-store-bench-`);
  const image = `${directory}/image`;
  const path = `${directory}/mnt`;
  const dispose = async (): Promise<void> => {
    await runProgram(program('umount'), [path], { accept: [0, 32] });
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await writeFile(image, '');
    await truncate(image, gibibytes * 1024 ** 3);
    await mkdir(path);
    await runProgram(program('mkfs.ext4'), [
      '-q',
      '-F',
      '-N',
      '4000000',
      '-E',
      'lazy_itable_init=0,lazy_journal_init=0',
      image,
    ]);
    await runProgram(program('mount'), ['-o', 'loop', image, path]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { kind: 'ext4', path, [Symbol.asyncDispose]: dispose };
}

function program(name: string): string {
  const found = findProgram(name);
  if (found === undefined)
    throw new Error(`the ext4 part of the benchmark needs ${name}; install e2fsprogs and mount`);
  return found;
}
