/** Run by rootless.test.ts as an ordinary user: unpacks the tar on its standard input, prints what came of it as JSON. */
import { layerSource } from '@x/layer-store';
import { listing } from './tree-on-disk.test-support.js';
import { VfsDriver } from './vfs-driver.js';

const home = process.argv[2] ?? '';
const reported: unknown[] = [];
const driver = new VfsDriver({ home, onShortfall: (shortfall) => reported.push(shortfall) });
await driver.open();
await driver.create('layer');
const size = await driver.applyDiff('layer', undefined, layerSource(process.stdin));
await driver.create('child', 'layer');
const files = await driver.withMount('child', async (root) => listing(root));
const result = {
  uid: process.getuid?.(),
  rootless: driver.rootless,
  size,
  reported,
  status: await driver.status(),
  metadata: await driver.metadata('child'),
  files,
};
await driver.remove('child');
await driver.remove('layer');
const left = await driver.status();
await driver.close();
process.stdout.write(JSON.stringify({ ...result, left }));
