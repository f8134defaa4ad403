import { vfsDriver } from '@x/driver-vfs';
import { declareConformance } from './machine.test-support.js';

await declareConformance(vfsDriver, '@x/driver-vfs', 'vfsDriver');
