import { defineFailpoints, type FailpointSet } from './failpoint-set.js';

/**
 * Every step of the store that changes durable state, by name. A crash test kills the process before and after each;
 * one that no scenario reaches fails the build.
 */
export const FAILPOINTS = [
  'open.make-database',
  'open.publish-database',
  'register.intent',
  'register.clear',
  'register.stage',
  'register.driver-create',
  'register.driver-apply',
  'register.tar-split-finish',
  'register.driver-sync',
  'register.tar-split-rename',
  'register.unstage',
  'register.commit',
  'rw-create.intent',
  'rw-create.init-layer',
  'rw-create.init',
  'rw-create.layer',
  'rw-create.driver-sync',
  'rw-create.commit',
  'release.commit',
  'rw-release.commit',
  'removal.driver-remove',
  'removal.tar-split',
  'removal.finish',
  'undo.driver-remove',
  'undo.files',
  'undo.drop-intent',
] as const;

/** A name of {@link FAILPOINTS}; any other does not compile. */
export type Failpoint = (typeof FAILPOINTS)[number];

/** The store's own steps. */
export const step: FailpointSet<Failpoint>['step'] = defineFailpoints(FAILPOINTS).step;
