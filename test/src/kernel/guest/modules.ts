/**
 * Modules that tests need and nothing asks the kernel for by name, in the order of their loading: what one needs itself, modprobe
 * loads before it. Others, such as the rest of device mapper's targets, the kernel loads when they are used.
 */
export const MODULES: readonly string[] = [
  'dm-mod',
  'dm-thin-pool',
  'dm-flakey',
  'dm-log-writes',
  'loop',
  'overlay',
  'fuse',
];
