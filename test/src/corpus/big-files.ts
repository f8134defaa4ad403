import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { runProgram } from '../program/run-program.js';
import { corpusFile } from './corpus-directory.js';

const MEBIBYTE = 1024 * 1024;

/** Four files of 256 MiB of random bytes as a layer: what a layer of model weights or database files looks like. */
export function bigFilesTar(): Promise<string> {
  return corpusFile('big-files.tar', async (target, scratch) => {
    for (const name of ['a', 'b', 'c', 'd']) {
      const file = await open(`${scratch}/${name}.bin`, 'wx');
      try {
        for (let written = 0; written < 256; written += 4) await file.write(randomBytes(4 * MEBIBYTE));
      } finally {
        await file.close();
      }
    }
    await runProgram('/usr/bin/tar', ['--numeric-owner', '-C', scratch, '-cf', target, '.']);
  });
}
