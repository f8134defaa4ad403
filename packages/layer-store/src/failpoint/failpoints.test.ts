import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { setFailpointHook } from './failpoint-set.js';
import { FAILPOINTS, step } from './failpoints.js';

const SOURCE = path.join(import.meta.dirname, '..', '..', 'src');

afterEach(() => {
  setFailpointHook(undefined);
});

describe('failpoints', () => {
  it('are each used exactly once in the source', async () => {
    const files = (await readdir(SOURCE, { recursive: true })).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('failpoints.ts'),
    );
    const source = (await Promise.all(files.map((name) => readFile(path.join(SOURCE, name), 'utf8')))).join(
      '\n',
    );
    const used = [...source.matchAll(/\bstep\(\s*'([^']+)'/g)].map((match) => match[1]);
    expect(used.map(String).toSorted()).toEqual([...FAILPOINTS].toSorted());
  });

  it('cost nothing and change nothing without a hook', async () => {
    await expect(step('register.commit', async () => 'result')).resolves.toBe('result');
  });

  it('call the hook on both sides; what it throws before keeps the step from happening', async () => {
    const seen: string[] = [];
    setFailpointHook((name, phase) => {
      seen.push(`${phase} ${name}`);
    });
    await step('register.commit', async () => seen.push('work'));
    expect(seen).toEqual(['before register.commit', 'work', 'after register.commit']);
    setFailpointHook(() => {
      throw new Error('stop');
    });
    let worked = false;
    const failing = step('register.commit', async () => {
      worked = true;
    });
    await expect(failing).rejects.toThrow('stop');
    expect(worked).toBe(false);
  });
});
