import { describe, expect, it } from '@jest/globals';
import { KeyedMutex } from './keyed-mutex.js';

describe('KeyedMutex', () => {
  it('lets one at a time in for a key, in the order they came', async () => {
    const mutex = new KeyedMutex();
    const log: string[] = [];
    const release = await mutex.acquire('a');
    const waiting = ['first', 'second', 'third'].map((name) =>
      mutex.run('a', async () => {
        log.push(`${name} in`);
        await Promise.resolve();
        log.push(`${name} out`);
      }),
    );
    await Promise.resolve();
    expect(log).toEqual([]);
    release();
    await Promise.all(waiting);
    expect(log).toEqual(['first in', 'first out', 'second in', 'second out', 'third in', 'third out']);
    expect(mutex.isHeld('a')).toBe(false);
  });

  it('does not make different keys wait for each other', async () => {
    const mutex = new KeyedMutex();
    const release = await mutex.acquire('a');
    await expect(mutex.run('b', () => 'done')).resolves.toBe('done');
    release();
  });

  it('a waiter whose signal is aborted leaves the queue, and the next gets its turn', async () => {
    const mutex = new KeyedMutex();
    const release = await mutex.acquire('a');
    const abort = new AbortController();
    const aborted = mutex.acquire('a', abort.signal);
    const next = mutex.run('a', () => 'next');
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    release();
    await expect(next).resolves.toBe('next');
    expect(mutex.isHeld('a')).toBe(false);
  });

  it('an abort after the turn came changes nothing', async () => {
    const mutex = new KeyedMutex();
    const abort = new AbortController();
    const release = await mutex.acquire('a', abort.signal);
    abort.abort();
    expect(mutex.isHeld('a')).toBe(true);
    release();
    release();
    expect(mutex.isHeld('a')).toBe(false);
  });

  it('refuses at once when the signal is aborted already', async () => {
    const mutex = new KeyedMutex();
    await expect(mutex.acquire('a', AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    expect(mutex.isHeld('a')).toBe(false);
  });

  it('gives the key up when the work fails', async () => {
    const mutex = new KeyedMutex();
    await expect(
      mutex.run('a', () => {
        throw new Error('failed');
      }),
    ).rejects.toThrow('failed');
    expect(mutex.isHeld('a')).toBe(false);
  });
});
