import { OPERATIONS, type OperationName, openIn } from './operations.js';

/** `node operation-process.js OPERATION SCRATCH`: does one operation on the store there; says so when it has returned. */
const [operation, scratch] = process.argv.slice(2);
if (operation === undefined || scratch === undefined || !(operation in OPERATIONS)) {
  throw new TypeError(`no such operation: ${operation}`);
}
const store = await openIn(scratch);
await OPERATIONS[operation as OperationName](store);
console.log(operation);
await store.close();
