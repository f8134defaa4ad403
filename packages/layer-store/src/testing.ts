/** For crash tests: not part of the API that follows semantic versioning. */
export {
  FAILPOINT_VARIABLE,
  type FailpointHook,
  type FailpointPhase,
  setFailpointHook,
} from './failpoint/failpoint-set.js';
export { FAILPOINTS, type Failpoint } from './failpoint/failpoints.js';
export {
  killAt,
  type OperationScript,
  recordFailpoints,
  type ScriptOutcome,
} from './failpoint/kill-and-reopen.js';
export { lockDirectory } from './lock/directory-lock.js';
