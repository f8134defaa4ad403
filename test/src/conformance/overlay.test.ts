import { overlayDriver } from '@x/driver-overlay';
import { declareConformance } from './machine.test-support.js';

await declareConformance(overlayDriver, '@x/driver-overlay', 'overlayDriver');
