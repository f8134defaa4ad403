import { mkdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  findSystemProgram,
  type ProgramResult,
  type RunProgramOptions,
  runProgram,
  writeFileDurably,
} from '@x/layer-store/driver-kit';

/** What the set-up needs of the machine; tests give it another. */
export interface LvmHost {
  /** The path without symbolic links; undefined: that is no block device. */
  blockDevice(path: string): Promise<string | undefined>;
  find(program: string): Promise<string | undefined>;
  run(program: string, args: readonly string[], options?: RunProgramOptions): Promise<ProgramResult>;
  /** Makes the directory, too. */
  write(path: string, content: string): Promise<void>;
}

/** Wiping and converting take longer than most. Milliseconds. */
const TIMEOUT = 10 * 60_000;

/** This machine. */
export const SYSTEM_LVM: LvmHost = {
  blockDevice: async (path) => {
    const found = await stat(path).catch(() => undefined);
    return found?.isBlockDevice() === true ? realpath(path) : undefined;
  },
  find: findSystemProgram,
  run: (program, args, options = {}) =>
    runProgram(program, args, { timeout: TIMEOUT, env: lvmEnvironment(process.env), ...options }),
  write: async (path, content) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFileDurably(path, content, 0o644);
  },
};

/** Where there is no udevd, LVM must know, or it waits for it. Nothing else is inherited. */
function lvmEnvironment({ DM_DISABLE_UDEV: noUdev }: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return noUdev === undefined ? {} : { DM_DISABLE_UDEV: noUdev };
}
