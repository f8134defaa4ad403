/** Run by crash.test.ts and killed: opens the driver and does one operation. */
import { driverIn, OPERATIONS, type OperationName } from './crash-operations.test-support.js';

const [operation, base = ''] = process.argv.slice(2);
const { driver } = driverIn(base);
await driver.open();
await OPERATIONS[operation as OperationName](driver);
process.stdout.write('returned\n');
await driver.close({ mounts: 'keep' });
