/** Run by crash.test.ts and killed: makes a copy of `base` and removes it, again and again. */
import { VfsDriver } from './vfs-driver.js';

const driver = new VfsDriver({ home: process.argv[2] ?? '' });
await driver.open();
for (;;) {
  await driver.create('child', 'base');
  await driver.remove('child');
}
