import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runProgram } from '../program/run-program.js';
import { scratchDirectory } from '../scratch/scratch-directory.js';

const MINUTES = 60_000;
const CEILING_MIB = 250;
/** Four times the input may not cost more than this: the high-water mark of a collector is not exact. */
const SLACK_MIB = 60;

async function peakRss(shape: 'big' | 'wide', amount: number): Promise<number> {
  await using scratch = await scratchDirectory();
  const { stdout } = await runProgram(process.execPath, [
    path.join(import.meta.dirname, 'memory-subject.js'),
    shape,
    String(amount),
    scratch.path,
  ]);
  return Number(stdout);
}

describe('peak memory of register and export', () => {
  it(
    'of a 4 GiB layer stays under 250 MB and is that of a 1 GiB layer',
    async () => {
      const one = await peakRss('big', 1024);
      const four = await peakRss('big', 4096);
      console.info(`peak RSS: 1 GiB ${one} MiB, 4 GiB ${four} MiB`);
      expect(four).toBeLessThan(CEILING_MIB);
      expect(four - one).toBeLessThan(SLACK_MIB);
    },
    10 * MINUTES,
  );

  it(
    'of a layer of 200,000 entries stays under 250 MB and is that of one of 50,000',
    async () => {
      const fifty = await peakRss('wide', 50_000);
      const twoHundred = await peakRss('wide', 200_000);
      console.info(`peak RSS: 50,000 entries ${fifty} MiB, 200,000 entries ${twoHundred} MiB`);
      expect(twoHundred).toBeLessThan(CEILING_MIB);
      expect(twoHundred - fifty).toBeLessThan(SLACK_MIB);
    },
    10 * MINUTES,
  );
});
