import { defineFailpoints, type FailpointSet } from '@x/layer-store/driver-kit';

const NAMES = [
  'multi-lower.create.stage',
  'multi-lower.create.link',
  'multi-lower.create.commit-parent',
  'multi-lower.create.publish',
  'multi-lower.remove.unpublish',
  'multi-lower.remove.link',
  'multi-lower.remove.delete',
  'multi-lower.recover.uncommit-parent',
  'multi-lower.recover.staged',
  'multi-lower.recover.trashed',
  'multi-lower.recover.dangling-link',
  'multi-lower.mend.link',
  'multi-lower.mend.link-file',
  'multi-lower.mend.lower',
  'multi-lower.mend.lower-ids',
] as const;

/** A name of {@link MULTI_LOWER_FAILPOINTS}; any other does not compile. */
export type MultiLowerStep = (typeof NAMES)[number];

/** Every step that changes what is in the home; a crash test kills the process before and after each. */
export const MULTI_LOWER_FAILPOINTS: FailpointSet<MultiLowerStep> = defineFailpoints(NAMES);

/** Runs one of them. */
export function step<T>(name: MultiLowerStep, work: () => Promise<T>): Promise<T> {
  return MULTI_LOWER_FAILPOINTS.step(name, work);
}
