export { vfsDriver } from './factory.js';
export type { VfsDriverOptions } from './options.js';
export type { Refusal, Shortfall } from './shortfalls.js';
export { VfsDriver } from './vfs-driver.js';
