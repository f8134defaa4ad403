export { fuseOverlayfsDriver, overlay2Driver, overlayDriver } from './factory.js';
export type { OverlayDriverOptions, OverlayName } from './options.js';
export { OverlayDriver } from './overlay-driver.js';
export type { OverlayShortfall } from './shortfall.js';
