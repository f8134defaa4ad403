/** Run by crash.test.ts as a process of its own: opens a home, does one thing to it, and is killed on the way. */
import { OverlayDriver } from '../overlay-driver.js';
import { CRASH_OPERATIONS } from './crash-operations.test-support.js';

const [home = '', operation = ''] = process.argv.slice(2);
const driver = new OverlayDriver({ home });
await driver.open();
await CRASH_OPERATIONS[operation]?.(driver);
