import { fuseOverlayfsDriver } from '@x/driver-overlay';
import { FUSE_OVERLAYFS_FAULTS } from './fuse-overlayfs-faults.test-support.js';
import { declareConformance } from './machine.test-support.js';

await declareConformance(fuseOverlayfsDriver, '@x/driver-overlay', 'fuseOverlayfsDriver', {
  // It is for hosts without privilege: what only root can do, devices and owners, it copies up wrongly too.
  asUser: true,
  without: FUSE_OVERLAYFS_FAULTS,
});
