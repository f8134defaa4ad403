import { writeFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { describeAddon, failureOf, privileged } from '../addon.test-support.js';

const asRoot = privileged ? it : it.skip;

describeAddon('the kernel’s log', (calls) => {
  asRoot('is read from its end, as often as one likes', async () => {
    const mark = `layer-store test ${process.pid} ${Date.now()}`;
    writeFileSync('/dev/kmsg', `<7>${mark}\n`);
    const line = new RegExp(`^<\\d+>(\\[ *[\\d.]+\\] )?${mark}$`, 'm');
    expect(calls.syslogReadAllSync(1 << 16).toString()).toMatch(line);
    expect((await calls.syslogReadAll(1 << 16)).toString()).toMatch(line);
    expect(calls.syslogReadAllSync(256).length).toBeLessThanOrEqual(256);
  });

  it('wants a size that makes sense', () => {
    for (const size of [0, 2 ** 31]) {
      expect(failureOf(() => calls.syslogReadAllSync(size)).code).toBe('ERR_INVALID_ARG_VALUE');
    }
  });
});
