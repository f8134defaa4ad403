/**
 * Run by crash.test.ts and killed: uses the driver in a home that has `base` and `image`, and tells on standard output
 * which calls have returned.
 */
import { readFileSync } from 'node:fs';
import { layerOf, openHardlink, plant } from './layers.test-support.js';

const [home = '', layer = ''] = process.argv.slice(2);
const tar = readFileSync(layer);
const done = (call: string): void => {
  process.stdout.write(`${call}\n`);
};

const driver = await openHardlink(home);
await driver.create('child', 'image');
done('create child');
await driver.applyDiff('child', 'image', layerOf(tar));
done('apply child');
await driver.applyDiff('child', 'image', layerOf(tar));
done('apply child again');
await driver.createReadWrite('rw', 'child');
done('create rw');
plant(await driver.get('rw'), { written: 'x' });
done('write rw');
await driver.createReadWrite('copy', 'rw');
done('create copy');
await driver.put('rw');
await driver.remove('rw');
done('remove rw');
await driver.close();
