export type { ConsoleIo } from './console-io.js';
export { run } from './run.js';
