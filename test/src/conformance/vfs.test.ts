import { vfsDriver } from '@x/driver-vfs';
import { runDriverConformance } from './run-driver-conformance.js';

runDriverConformance({ factory: vfsDriver });
