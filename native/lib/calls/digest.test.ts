import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { describeAddon, failureOf } from '../addon.test-support.js';

describeAddon('NativeDigester', (calls) => {
  it.each(['sha256', 'sha384', 'sha512'])(
    'computes %s like node:crypto, however the bytes are cut',
    async (algorithm) => {
      expect(calls.knowsDigest(algorithm)).toBe(true);
      const bytes = Buffer.alloc(300_001, 'some content');
      const expected = createHash(algorithm).update(bytes).digest('hex');
      for (const size of [1 << 20, 65_536, 4_099]) {
        const digester = new calls.NativeDigester(algorithm);
        const updates: Promise<void>[] = [];
        for (let at = 0; at < bytes.length; at += size)
          updates.push(digester.update(bytes.subarray(at, at + size)));
        expect((await digester.finish()).toString('hex')).toBe(expected);
        await Promise.all(updates);
        digester.close();
      }
    },
  );

  it('of nothing is the digest of nothing', async () => {
    const digester = new calls.NativeDigester('sha256');
    expect((await digester.finish()).toString('hex')).toBe(createHash('sha256').digest('hex'));
    digester.close();
  });

  it('refuses an unknown algorithm, and bytes after the end', async () => {
    expect(calls.knowsDigest('sha257')).toBe(false);
    expect(failureOf(() => new calls.NativeDigester('sha257'))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    });
    const digester = new calls.NativeDigester('sha256');
    await digester.finish();
    expect(failureOf(() => digester.update(Buffer.from('late')))).toMatchObject({
      code: 'ERR_INVALID_STATE',
    });
    digester.close();
    digester.close();
  });

  it('closed with updates under way waits for them', async () => {
    const digester = new calls.NativeDigester('sha256');
    const update = digester.update(Buffer.alloc(8 << 20));
    digester.close();
    await expect(update).resolves.toBeUndefined();
  });
});
