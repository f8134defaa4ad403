import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import { describeMounts } from '../describe-mounts.test-support.js';
import { OverlayDriver } from '../overlay-driver.js';
import { TestArea } from '../test-area.test-support.js';

/** On a busy machine. Milliseconds. */
const TIMEOUT = 60_000;

const mounting = describeMounts();

mounting('long chains', () => {
  let area: TestArea;

  beforeEach(() => {
    area = new TestArea('/dev/shm');
  });

  afterEach(async () => {
    const left = mountsBelow(await readMountInfo(), area.path);
    for (const { mountPoint } of left) execFileSync('umount', ['-l', mountPoint]);
    area[Symbol.dispose]();
    expect(left).toEqual([]);
  });

  async function open(home: string, mountInterface: 'fsopen' | 'mount'): Promise<OverlayDriver> {
    const driver = new OverlayDriver({ home, mountInterface });
    await driver.open();
    return driver;
  }

  /** Ids as long as Docker's. Layer n has a file n, written beside the mount, and all have the same other file. */
  const idOf = (index: number): string => String(index).padStart(64, '0');

  async function build(driver: OverlayDriver, from: number, to: number): Promise<void> {
    for (let index = from; index < to; index++) {
      await driver.create(idOf(index), index === 0 ? undefined : idOf(index - 1));
      const directory = join(driver.home, idOf(index), 'diff');
      writeFileSync(join(directory, `file-${index}`), String(index));
      writeFileSync(join(directory, 'same'), String(index));
    }
  }

  async function check(driver: OverlayDriver, count: number): Promise<void> {
    await driver.withMount(idOf(count - 1), async (root) => {
      expect(readdirSync(root)).toHaveLength(count + 1);
      expect(readFileSync(join(root, 'file-0'), 'utf8')).toBe('0');
      expect(readFileSync(join(root, 'same'), 'utf8')).toBe(String(count - 1));
    });
  }

  it.each(['fsopen', 'mount'] as const)(
    'of 129 layers are mounted by %s (DeepLayerRead)',
    async (by) => {
      await using driver = await open(area.at('home'), by);
      await build(driver, 0, 129);
      await check(driver, 129);
      // The same as one of its lowers, read-only: one directory more, and none writable.
      await check(driver, 128);
    },
    TIMEOUT,
  );

  it(
    'of 500 layers are mounted by fsconfig(2), and the 501st is refused before anything is made',
    async () => {
      await using driver = await open(area.at('home'), 'fsopen');
      expect(driver.capabilities.maxDepth).toBe(500);
      await build(driver, 0, 400);
      await check(driver, 400);
      await build(driver, 400, 500);
      await check(driver, 500);
      const before = readdirSync(driver.home);
      await expect(driver.create('one-more', idOf(499))).rejects.toMatchObject({
        code: 'LAYER_MAX_DEPTH',
        message: expect.stringContaining('501'),
      });
      expect(readdirSync(driver.home)).toEqual(before);
      expect(readdirSync(join(driver.home, 'l'))).toHaveLength(500);
      await driver.withMount(idOf(499), async (root) => writeFileSync(join(root, 'still'), 'writable'));
    },
    TIMEOUT,
  );

  it('are refused by mount(2) with the size of their options, when another interface made them', async () => {
    const home = area.at('home');
    {
      await using driver = await open(home, 'fsopen');
      await build(driver, 0, 140);
    }
    await using driver = await open(home, 'mount');
    expect(driver.capabilities.maxDepth).toBe(129);
    await expect(driver.get(idOf(139))).rejects.toMatchObject({
      code: 'DRIVER_NOT_SUPPORTED',
      message: expect.stringMatching(/\d{4} bytes, mount\(2\) takes 4095/),
    });
    await expect(driver.create('child', idOf(129))).rejects.toMatchObject({ code: 'LAYER_MAX_DEPTH' });
    expect(readdirSync(join(home, idOf(139)))).not.toContain('merged');
    await check(driver, 129);
  });

  it('have their differences found without mounting anything', async () => {
    await using driver = await open(area.at('home'), 'fsopen');
    await build(driver, 0, 130);
    const changes = await driver.changes(idOf(129), idOf(128));
    expect(changes.map(({ kind, path }) => [kind, Buffer.from(path).toString()])).toEqual([
      ['add', '/file-129'],
      ['modify', '/same'],
    ]);
    expect(await driver.diffSize(idOf(129), idOf(128))).toBe(6);
  });
});
