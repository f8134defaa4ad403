import { getMaxListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Operations } from './operations.js';

describe('Operations', () => {
  it('puts no limit on how many listen for the end: each operation that runs does', async () => {
    const operations = new Operations('/root');
    // Node warns of a leak from the eleventh on.
    const limit = await operations.run(undefined, async (signal) => getMaxListeners(signal));
    expect(limit).toBe(Number.POSITIVE_INFINITY);
    await operations.close();
  });

  it('closing aborts what runs and refuses what comes', async () => {
    const operations = new Operations('/root');
    const running = operations.run(
      undefined,
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('whatever')), { once: true });
        }),
    );
    const closing = operations.close();
    await expect(running).rejects.toMatchObject({ code: 'STORE_ABORTED_BY_CLOSE' });
    await closing;
    await expect(operations.run(undefined, async () => 1)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});
