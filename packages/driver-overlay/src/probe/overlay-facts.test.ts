import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { native } from '@x/native';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';
import { overlayFacts } from './overlay-facts.js';

const withMounts = IS_ROOT && native.available ? describe : describe.skip;

let area: TestArea;
beforeEach(() => {
  area = new TestArea();
});
afterEach(() => area[Symbol.dispose]());

withMounts('what is known of a home', () => {
  it('its file system, and that directory entries have types, empty or not', async () => {
    const home = area.directory('home');
    const empty = await overlayFacts(home);
    expect(empty).toMatchObject({ userXattr: false, dType: true });
    writeFileSync(area.at('home/layer'), '');
    expect(await overlayFacts(home)).toEqual(empty);
  });

  it('that directory entries have none', async () => {
    const place = area.image('ext', 'ext4', 8, ['mkfs.ext4', '-q', '-O', '^filetype']);
    execFileSync('rmdir', [`${place}/lost+found`]);
    mkdirSync(`${place}/home`);
    expect(await overlayFacts(`${place}/home`)).toMatchObject({ fileSystem: 'extfs', dType: false });
    mkdirSync(`${place}/home/layer`);
    expect(await overlayFacts(`${place}/home`)).toMatchObject({ fileSystem: 'extfs', dType: false });
  });
});
