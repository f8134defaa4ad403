/**
 * Run by rootless.test.ts as an ordinary user: a layer, a read-write layer on it, edits, and what the driver says about
 * them, as JSON.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatChange } from '@x/archive';
import { layerSource } from '@x/layer-store';
import type { OverlayDriverOptions } from '../options.js';
import { OverlayDriver } from '../overlay-driver.js';
import type { OverlayShortfall } from '../shortfall.js';

const [options = '', layer = ''] = process.argv.slice(2);
async function* read(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(readFileSync(layer));
}

const shortfalls: OverlayShortfall[] = [];
const driver = new OverlayDriver({
  ...(JSON.parse(options) as OverlayDriverOptions),
  onShortfall: (shortfall) => shortfalls.push(shortfall),
});
await driver.open();
await driver.create('base');
await driver.applyDiff('base', undefined, layerSource(read()));
await driver.createReadWrite('rw', 'base');
const root = await driver.get('rw');
const before = (await driver.changes('rw', 'base')).map(formatChange);
const mount = readFileSync('/proc/self/mountinfo', 'utf8')
  .split('\n')
  .find((line) => line.includes(` ${root} `));
rmSync(join(root, 'etc/gone'));
rmSync(join(root, 'dir'), { recursive: true });
mkdirSync(join(root, 'dir'));
writeFileSync(join(root, 'dir/mine'), 'mine');
chmodSync(join(root, 'etc/config'), 0o600);
const seen = { dir: readdirSync(join(root, 'dir')), etc: readdirSync(join(root, 'etc')).sort() };
await driver.put('rw');
const changes = (await driver.changes('rw', 'base')).map(formatChange);
const again = await driver.withMount('rw', async (path) => ({
  dir: readdirSync(join(path, 'dir')),
  mode: statSync(join(path, 'etc/config')).mode & 0o777,
}));
await driver.close();
process.stdout.write(
  JSON.stringify({
    uid: process.getuid?.(),
    rootless: driver.rootless,
    fsType: mount?.split(' - ')[1]?.split(' ')[0],
    before,
    seen,
    changes,
    again,
    refused: shortfalls[0]?.refused,
    left: readFileSync('/proc/self/mountinfo', 'utf8').includes(driver.home),
  }),
);
