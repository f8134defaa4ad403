import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { unmountBelow } from '@x/layer-store/driver-kit';
import { killAt, type OperationScript, recordFailpoints } from '@x/layer-store/testing';
import { native } from '@x/native';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';
import { HARDLINK_FAILPOINTS } from './failpoints.js';
import { archiveOf, FILES, makeImage, openHardlink, plant } from './layers.test-support.js';

const SCRIPT = fileURLToPath(new URL('./crash-run.test-support.js', import.meta.url));
const withMounts = IS_ROOT && native.available ? describe : describe.skip;

let area: TestArea;
let script: OperationScript;
let home: string;

/** A home with a base and an image on it, and a layer to apply. */
beforeEach(async () => {
  area = new TestArea('/dev/shm');
  home = area.at('overlay');
  const tree = area.directory('layer');
  plant(tree, { 'etc/config': 'changed', 'var/.wh.gone': '', 'srv/new': 'new' });
  const tar = archiveOf(tree, 'etc/config', 'var/.wh.gone', 'srv/new');
  writeFileSync(area.at('layer.tar'), tar);
  const driver = await openHardlink(home);
  await makeImage(driver, archiveOf(tree, 'srv/new'));
  await driver.close();
  script = { module: SCRIPT, arguments: [home, area.at('layer.tar')] };
});
afterEach(async () => {
  await unmountBelow(area.path);
  area[Symbol.dispose]();
});

const CHANGED = { ...FILES, 'etc/config': 'changed', 'srv/new': 'new' };
const IMAGE = { ...FILES, 'srv/new': 'new' };

withMounts('a process that is killed', () => {
  it('reaches every step of the hard-link layout that changes something', async () => {
    const reached = new Set(await recordFailpoints(script));
    expect(HARDLINK_FAILPOINTS.names.filter((name) => !reached.has(name))).toEqual([]);
  });

  for (const name of HARDLINK_FAILPOINTS.names) {
    for (const phase of ['before', 'after'] as const) {
      it(`${phase} ${name} leaves every layer whole or gone, and no rubbish`, async () => {
        const outcome = await killAt(script, phase, name);
        expect(outcome).toMatchObject({ killed: true });
        await expectSound(new Set(outcome.returned));
        // What it had begun can be done now.
        await using driver = await openHardlink(home);
        for (const id of await driver.list()) if (id !== 'base' && id !== 'image') await driver.remove(id);
        await driver.create('child', 'image');
        await driver.remove('child');
        expect(readdirSync(home).sort()).toEqual(['base', 'image']);
      });
    }
  }
});

async function expectSound(returned: ReadonlySet<string>): Promise<void> {
  await using driver = await openHardlink(home);
  const names = readdirSync(home);
  expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
  expect(await driver.list()).toEqual(names.sort());
  for (const id of names) {
    expect(readdirSync(join(home, id)).filter((name) => name.startsWith('tmproot'))).toEqual([]);
  }
  await driver.withMount('base', async (root) => expectFiles(root, FILES, 'var/gone'));
  await driver.withMount('image', async (root) => expectFiles(root, IMAGE, 'var/gone'));
  if (returned.has('create child')) expect(names).toContain('child');
  if (names.includes('child')) {
    await driver.withMount('child', async (root) => {
      const applied = !existsSync(join(root, 'var/gone'));
      if (returned.has('apply child')) expect(applied).toBe(true);
      expectFiles(root, applied ? CHANGED : IMAGE, applied ? undefined : 'var/gone');
    });
  }
  if (returned.has('create rw') && !returned.has('create copy')) expect(names).toContain('rw');
  if (returned.has('remove rw')) expect(names).not.toContain('rw');
  for (const id of names.filter((name) => name === 'rw' || name === 'copy')) {
    await driver.withMount(id, async (root) => {
      expectFiles(root, CHANGED);
      if (returned.has('write rw')) expect(readFileSync(join(root, 'written'), 'utf8')).toBe('x');
    });
  }
}

function expectFiles(root: string, files: Readonly<Record<string, string>>, also?: string): void {
  for (const [path, content] of Object.entries(files)) {
    if (path === 'var/gone' && also === undefined) continue;
    expect([path, readFileSync(join(root, path), 'utf8')]).toEqual([path, content]);
  }
}
