import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { OverlayDriver } from '../overlay-driver.js';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';

const usable = IS_ROOT && native.available && existsSync('/usr/bin/fuse-overlayfs');
const withProgram = usable ? describe : describe.skip;

let area: TestArea;
beforeEach(() => {
  area = new TestArea();
});
afterEach(() => area[Symbol.dispose]());

async function openAndClose(mountProgram?: string): Promise<void> {
  const home = area.at('home');
  await using driver = new OverlayDriver({ home, ...(mountProgram === undefined ? {} : { mountProgram }) });
  await driver.open();
}

withProgram('a home that a mount program was used in', () => {
  it('is not opened without one: its deletions would show as files', async () => {
    await openAndClose('fuse-overlayfs');
    const before = readdirSync(area.at('home'));
    await expect(openAndClose()).rejects.toMatchObject({
      code: 'DRIVER_STATE_FOREIGN',
      message: expect.stringContaining('fuse-overlayfs driver'),
    });
    expect(readdirSync(area.at('home'))).toEqual(before);
    await openAndClose('fuse-overlayfs');
  });

  it('is opened with one also when the kernel made it: the program knows its marks', async () => {
    await openAndClose();
    await openAndClose('fuse-overlayfs');
  });
});
