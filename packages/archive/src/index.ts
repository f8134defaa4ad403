export * from './errors.js';
export * from './execute/gather.js';
export * from './execute/operation.js';
export * from './tar/entry.js';
