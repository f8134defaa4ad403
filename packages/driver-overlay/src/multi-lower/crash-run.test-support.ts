/** Run by crash.test.ts as a process of its own: opens a home, does one thing, and is killed on the way or at the end. */
import { OverlayDriver } from '../overlay-driver.js';

const [home = '', operation = ''] = process.argv.slice(2);
const driver = new OverlayDriver({ home });
await driver.open();
process.stdout.write('open\n');
switch (operation) {
  case 'open':
    break;
  case 'create':
    await driver.create('child', 'middle');
    process.stdout.write('create\n');
    break;
  case 'create-read-write':
    await driver.createReadWrite('child', 'top');
    process.stdout.write('create\n');
    break;
  case 'remove':
    await driver.remove('top');
    process.stdout.write('remove\n');
    break;
  case 'mount':
    await driver.get('top');
    await driver.get('middle');
    process.kill(process.pid, 'SIGKILL');
    break;
  default:
    throw new Error(`no operation ${operation}`);
}
