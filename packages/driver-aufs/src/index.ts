export { AufsDriver } from './aufs-driver.js';
export { aufsDriver } from './factory.js';
export type { AufsKernel, FlushOutcome, KernelRefusal, MountedUnion } from './kernel/aufs-kernel.js';
export type { AufsBranch, BranchPermission } from './mount/branch.js';
export type { CallLimits } from './mount/call-limits.js';
export { type MountStep, planMount, type UnionDescription } from './mount/plan-mount.js';
export type { AufsDriverOptions } from './options.js';
export type { AufsWarning, OnAufsWarning } from './warning.js';
