import { aufsDriver } from '@x/driver-aufs';
import { devicemapperDriver } from '@x/driver-devmapper';
import { fuseOverlayfsDriver, overlay2Driver, overlayDriver } from '@x/driver-overlay';
import { vfsDriver } from '@x/driver-vfs';
import type { DriverFactory } from '@x/layer-store';

/** What `--driver` can name. Without it the order is the store's, and layers that are there already decide. */
export const DRIVERS: readonly DriverFactory[] = [
  overlay2Driver,
  fuseOverlayfsDriver,
  aufsDriver,
  overlayDriver,
  devicemapperDriver,
  vfsDriver,
];
