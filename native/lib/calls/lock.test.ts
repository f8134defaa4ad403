import { closeSync, openSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, it } from '@jest/globals';
import { describeAddon, failureOf, runElsewhere, useDirectory } from '../addon.test-support.js';

describeAddon('open-file-description locks', (calls) => {
  const directory = useDirectory();
  beforeEach(() => writeFileSync(directory.at('lock'), ''));
  const open = (flags = 'r+'): number => openSync(directory.at('lock'), flags);
  const takenElsewhere = (kind = 'exclusive'): unknown =>
    runElsewhere(
      `return calls.ofdLockSync(calls.openat2Sync(-100, ${JSON.stringify(directory.at('lock'))}, { flags: 2 }), '${kind}')`,
    );

  it('keep another process out until they are released', () => {
    const fd = open();
    expect(calls.ofdLockSync(fd, 'exclusive')).toBe(true);
    expect(takenElsewhere()).toBe(false);
    expect(takenElsewhere('shared')).toBe(false);
    calls.ofdUnlockSync(fd);
    expect(takenElsewhere()).toBe(true);
    closeSync(fd);
  });

  it('survive closing another descriptor of the same file, which POSIX locks do not', () => {
    const fd = open();
    expect(calls.ofdLockSync(fd, 'exclusive')).toBe(true);
    closeSync(open());
    closeSync(open('r'));
    expect(takenElsewhere()).toBe(false);
    closeSync(fd);
    expect(takenElsewhere()).toBe(true);
  });

  it('exclude a second open in the same process', () => {
    const [first, second] = [open(), open()];
    expect(calls.ofdLockSync(first, 'exclusive')).toBe(true);
    expect(calls.ofdLockSync(second, 'exclusive')).toBe(false);
    closeSync(first);
    expect(calls.ofdLockSync(second, 'exclusive')).toBe(true);
    closeSync(second);
  });

  it('are shared by those who ask for that', async () => {
    const [first, second] = [open(), open('r')];
    expect(await calls.ofdLock(first, 'shared')).toBe(true);
    expect(await calls.ofdLock(second, 'shared')).toBe(true);
    expect(await calls.ofdLock(first, 'exclusive')).toBe(false);
    await calls.ofdUnlock(second);
    expect(await calls.ofdLock(first, 'exclusive')).toBe(true);
    closeSync(first);
    closeSync(second);
  });

  it('need a descriptor open for what they do', () => {
    const fd = open('r');
    expect(failureOf(() => calls.ofdLockSync(fd, 'exclusive'))).toMatchObject({
      code: 'EBADF',
      syscall: 'fcntl(F_OFD_SETLK)',
    });
    closeSync(fd);
  });
});
