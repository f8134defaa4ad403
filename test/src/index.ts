/** The conformance suite of Layer Store's storage drivers. */
export * from './conformance/appliers/index.js';
export type { Check, MachineNeed, SubjectFacts, Workbench } from './conformance/check.js';
export { CHECKS } from './conformance/checks.js';
export {
  ExpectationFailed,
  expectAborted,
  expectCode,
  expectEqual,
  expectSameMembers,
  expectSameTree,
  expectTrue,
  fail,
  isExpectationFailed,
  notApplicable,
} from './conformance/expectation.js';
export { bytesOf, entryNames, layerBytes, layerEntry, layerOf, sourceOf } from './conformance/layer-bytes.js';
export { resultText, summaryText } from './conformance/report/human-report.js';
export { resultLine, summaryLine } from './conformance/report/json-report.js';
export { type DriverConformance, runDriverConformance } from './conformance/run-driver-conformance.js';
export type {
  CheckFailure,
  CheckOutcome,
  CheckResult,
  ConformanceReport,
  NotApplicableCause,
} from './conformance/runner/report.js';
export { type RunOptions, runConformance } from './conformance/runner/run-conformance.js';
export type { ConformanceSubject } from './conformance/subject.js';
export { treeDifference } from './conformance/tree-difference.js';
export {
  describeEntry,
  type EntryKind,
  type SnapshotOptions,
  snapshotTree,
  type TreeEntry,
  type TreeSnapshot,
} from './conformance/tree-snapshot.js';
