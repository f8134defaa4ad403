import {
  closeSync,
  futimesSync,
  lutimesSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { utimesArgument } from './utimes-argument.js';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'utimes-'));
  file = join(directory, 'f');
  writeFileSync(file, '');
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('a time for utimes', () => {
  it.each([-1, -1.5, -2_000_000_000.25, -0.000001, 0, 1.5, 4_000_000_000])(
    'of %d seconds is set as it is',
    (seconds) => {
      const fd = openSync(file, 'r');
      const time = utimesArgument(seconds);
      for (const set of [
        () => utimesSync(file, time, time),
        () => lutimesSync(file, time, time),
        () => futimesSync(fd, time, time),
      ]) {
        utimesSync(file, 7, 7);
        set();
        expect(Number(statSync(file, { bigint: true }).mtimeNs) / 1e9).toBeCloseTo(seconds, 5);
      }
      closeSync(fd);
    },
  );
});
