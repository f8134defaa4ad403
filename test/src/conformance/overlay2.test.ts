import { overlay2Driver } from '@x/driver-overlay';
import { declareConformance } from './machine.test-support.js';

await declareConformance(overlay2Driver, '@x/driver-overlay', 'overlay2Driver');
