import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatChange } from '@x/archive';
import { native } from '@x/native';
import { OverlayDriver } from '../overlay-driver.js';
import { IS_ROOT, TestArea } from '../test-area.test-support.js';

/** Docker's own layer store (shared/peers/build-moby-layer.sh). */
const MOBY = '/usr/local/bin/moby-layer';
const withDocker = IS_ROOT && native.available && existsSync(MOBY) ? describe : describe.skip;

withDocker('a home that Docker’s overlay2 made', () => {
  let area: TestArea;
  let home: string;
  let chains: readonly string[];
  /** Driver ids of the layers, from the bottom. */
  let ids: readonly string[];

  beforeEach(() => {
    area = new TestArea('/dev/shm');
    home = area.at('moby/overlay2');
    const tars = [
      tarOf('one', { kept: '1', deleted: 'x', 'd/a': 'a', 'd/b': 'b' }),
      tarOf('two', { '.wh.deleted': '', 'd/.wh..wh..opq': '', 'd/c': 'c' }),
      tarOf('three', { kept: '3' }),
    ];
    chains = moby('register', ...tars)
      .map(({ chainID = '' }) => chainID)
      .filter((chain) => chain !== '');
    ids = chains.map((chain) => readFileSync(join(layerdb(chain), 'cache-id'), 'utf8'));
  });

  afterEach(() => {
    area[Symbol.dispose]();
  });

  function tarOf(name: string, files: Readonly<Record<string, string>>): string {
    const tree = area.at(name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(tree, path, '..'), { recursive: true });
      writeFileSync(join(tree, path), content);
    }
    execFileSync('tar', ['-C', tree, '-cf', area.at(`${name}.tar`), '.']);
    return area.at(`${name}.tar`);
  }

  function moby(...args: readonly string[]): { readonly op: string; readonly chainID?: string }[] {
    const output = execFileSync(MOBY, ['-root', area.at('moby'), '-driver', 'overlay2', ...args]);
    return output
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly op: string });
  }

  const layerdb = (chain: string): string =>
    area.at('moby/image/overlay2/layerdb/sha256', chain.replace('sha256:', ''));

  async function open(): Promise<OverlayDriver> {
    const driver = new OverlayDriver({ home });
    await driver.open();
    return driver;
  }

  it('is read as Docker reads it', async () => {
    await using driver = await open();
    const [one = '', two = '', three = ''] = ids;
    expect(await driver.list()).toEqual([...ids].sort());
    await driver.withMount(three, async (root) => {
      expect(readdirSync(root).sort()).toEqual(['d', 'kept']);
      expect(readdirSync(join(root, 'd'))).toEqual(['c']);
      expect(readFileSync(join(root, 'kept'), 'utf8')).toBe('3');
    });
    expect((await driver.changes(two, one)).map(formatChange)).toEqual([
      'C /d',
      'D /d/a',
      'D /d/b',
      'A /d/c',
      'D /deleted',
    ]);
    expect(await driver.metadata(three)).toMatchObject({
      LowerDir: [two, one].map((id) => join(home, id, 'diff')).join(':'),
    });
    // Reading leaves it as it was.
    expect(existsSync(join(home, three, 'lower-ids'))).toBe(false);
  });

  it('is mended as far as Docker’s files go, and is Docker’s again afterwards', async () => {
    for (const name of readdirSync(join(home, 'l'))) rmSync(join(home, 'l', name));
    {
      await using driver = await open();
      const [, , three = ''] = ids;
      await driver.createReadWrite('container', three);
      await driver.withMount('container', async (root) => {
        expect(readdirSync(root).sort()).toEqual(['d', 'kept']);
        writeFileSync(join(root, 'new'), 'x');
      });
      await driver.remove('container');
    }
    const [, , top = ''] = chains;
    expect(moby('export', top, area.at('out.tar')).map(({ op }) => op)).toContain('export');
    expect(readFileSync(area.at('out.tar')).equals(readFileSync(area.at('three.tar')))).toBe(true);
    expect(moby('-n', '2', 'rw', top).map(({ op }) => op)).toContain('rw');
  });
});
