/**
 * A model of a kernel with aufs, for tests on machines that have none: see {@link AufsKernelModel}. The driver runs the
 * conformance suite over it. Not part of the API that follows semantic versioning.
 */
export { aufsDriverOn } from './factory.js';
export {
  AufsKernelModel,
  type AufsKernelModelOptions,
  type ModelCall,
} from './kernel-model/aufs-kernel-model.js';
export { aufsModelDriver } from './kernel-model/model-driver.js';
export {
  KernelPanic,
  ModelViolation,
  type Violation,
  type ViolationKind,
} from './kernel-model/model-failure.js';
