import { defineFailpoints, type FailpointSet } from '@x/layer-store/driver-kit';

/** Every step of the hard-link layout that changes durable state, by name. */
export const HARDLINK_FAILPOINTS: FailpointSet<
  | 'hardlink.create-fill'
  | 'hardlink.create-publish'
  | 'hardlink.apply-share'
  | 'hardlink.apply-unpack'
  | 'hardlink.apply-publish'
  | 'hardlink.apply-clear'
  | 'hardlink.remove-hide'
  | 'hardlink.remove-delete'
> = defineFailpoints([
  'hardlink.create-fill',
  'hardlink.create-publish',
  'hardlink.apply-share',
  'hardlink.apply-unpack',
  'hardlink.apply-publish',
  'hardlink.apply-clear',
  'hardlink.remove-hide',
  'hardlink.remove-delete',
]);
