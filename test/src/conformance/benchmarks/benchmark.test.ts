import { mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { vfsDriver } from '@x/driver-vfs';
import type { Workbench } from '../check.js';
import { WORK_DIRECTORY } from '../machine.test-support.js';
import { measure, timingOf } from './benchmark.js';
import { runBenchmarks } from './run-benchmarks.js';

let workDirectory: string;

beforeEach(async () => {
  workDirectory = await mkdtemp(path.join(WORK_DIRECTORY, 'benchmark-'));
});

afterEach(() => rm(workDirectory, { recursive: true }));

describe('timings', () => {
  it.each([
    [[3], 3],
    [[5, 1], 3],
    [[9, 1, 2], 2],
    [[4, 1, 2, 100], 3],
  ])('the median of %j is %d', (times, median) => {
    expect(timingOf(times)).toEqual({
      rounds: times.length,
      median,
      fastest: Math.min(...times),
      slowest: Math.max(...times),
    });
  });

  it('of no rounds there are none', () => {
    expect(() => timingOf([])).toThrow(RangeError);
  });

  it('a benchmark is prepared once, run once to warm up, and tidied after every round', async () => {
    const steps: string[] = [];
    const benchmark = {
      name: 'made up',
      rounds: 2,
      prepare: async () => {
        steps.push('prepare');
        return {
          round: async () => void steps.push('round'),
          afterwards: async () => void steps.push('afterwards'),
        };
      },
    };
    const bench = { signal: new AbortController().signal } as Workbench;
    expect(await measure(benchmark, bench)).toMatchObject({ rounds: 2 });
    expect(steps).toEqual(['prepare', ...Array.from({ length: 3 }, () => ['round', 'afterwards']).flat()]);
  });

  it('are printed a line each, and leave nothing behind', async () => {
    const subject = { factory: vfsDriver, workDirectory, grep: '(Exists)' };
    const lines: string[] = [];
    expect(await runBenchmarks(subject, { json: false, write: (text) => lines.push(text) })).toBe(0);
    expect(await runBenchmarks(subject, { json: true, write: (text) => lines.push(text) })).toBe(0);
    expect(lines[0]).toMatch(/^ *\d+\.\d+ ms {2}exists \(Exists\) {2}\(200 rounds, /);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      type: 'benchmark',
      driver: 'vfs',
      rounds: 200,
      outcome: 'pass',
    });
    expect(await readdir(workDirectory)).toEqual([]);
  });
});
