import { fuseOverlayfsDriver } from '@x/driver-overlay';
import { declareConformance } from './machine.test-support.js';

await declareConformance(fuseOverlayfsDriver, '@x/driver-overlay', 'fuseOverlayfsDriver');
