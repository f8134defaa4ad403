import type { DriverFactory } from '@x/layer-store';
import type { HolderOrder } from './holder.js';
import { HOLDER_SCRIPTS } from './holder-scripts.js';

/*
 * `node holder-process.js ORDER`: loads a driver from its module, does what a script says, and then waits to be killed.
 */
const order = JSON.parse(process.argv[2] ?? '') as HolderOrder;
const exported = (await import(order.module.url)) as Readonly<Record<string, DriverFactory | undefined>>;
const factory = exported[order.module.export];
if (factory === undefined) throw new TypeError(`${order.module.url} has no export ${order.module.export}`);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const driver = factory.create({ home: order.home, options: order.options });
const script = HOLDER_SCRIPTS[order.script];
await script({ driver, root: order.root, say });
// An unsettled promise alone does not keep a process alive.
setInterval(() => undefined, 60_000);
