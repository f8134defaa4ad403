/** Clears what keeps even root from removing a file. */
import { execFile } from 'node:child_process';
import { PROGRAM_DIRECTORIES } from '../find-program.js';

const CHATTR_TIMEOUT_MS = 5 * 60 * 1000;

/**
 * Takes the immutable and append-only flags off a tree with chattr(1), which follows no links.
 * @returns whether the program ran; what it could not change shows at the next removal
 */
export function clearInodeFlags(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = {
      timeout: CHATTR_TIMEOUT_MS,
      env: { PATH: PROGRAM_DIRECTORIES.join(':'), LC_ALL: 'C' },
    };
    execFile('chattr', ['-R', '-f', '-i', '-a', '--', path], options, (error) => {
      resolve(error === null || typeof error.code === 'number');
    });
  });
}
