/** Run by crash.kernel.test.ts and killed: one operation on a home. Arguments: operation, home. */
import { type CrashOperationName, driverFor, OPERATIONS } from './crash-operations.test-support.js';

const [, , name, home = ''] = process.argv;
const operation = name as CrashOperationName;
const driver = driverFor(operation, home);
await driver.open();
await OPERATIONS[operation].run(driver);
console.log('returned');
await driver.close();
