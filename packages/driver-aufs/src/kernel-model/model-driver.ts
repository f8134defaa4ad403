import type { DriverFactory } from '@x/layer-store';
import { aufsDriverOn } from '../factory.js';
import { AufsKernelModel } from './aufs-kernel-model.js';

/**
 * The aufs driver on the model of a kernel. Unions are kept in the file `<home>.unions`, so that other processes find them, and
 * what a process leaves mounted.
 */
export const aufsModelDriver: DriverFactory = aufsDriverOn(
  (home) => new AufsKernelModel({ stateFile: `${home}.unions` }),
);
