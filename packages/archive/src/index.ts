export * from './errors.js';
export * from './execute/gather.js';
export * from './execute/gather-plan.js';
export * from './execute/operation.js';
export * from './tar/entry.js';
export * from './byte-source.js';
export * from './digest/crc64.js';
export * from './extract/layer-recorder.js';
