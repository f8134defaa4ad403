import { describe, it } from '@jest/globals';
import { aufsDriver } from '@x/driver-aufs';
import { aufsModelDriver } from '@x/driver-aufs/testing';
import { declareConformance, WORK_DIRECTORY } from './machine.test-support.js';

/*
 * aufs over the model of its kernel, everywhere; over the kernel where it has aufs. This project's own machines have none: that is a
 * skip with its reason also in CI. LAYER_STORE_AUFS=real runs the suite whatever the probe says.
 */

await declareConformance(aufsModelDriver, '@x/driver-aufs/testing', 'aufsModelDriver');

const probe = await aufsDriver.probe(`${WORK_DIRECTORY}/aufs`);
if (probe.supported || process.env.LAYER_STORE_AUFS === 'real') {
  await declareConformance(aufsDriver, '@x/driver-aufs', 'aufsDriver');
} else {
  describe('conformance of aufs on the kernel of this machine', () => {
    it.skip(`cannot run here: ${probe.reason}; ${probe.remedy}`, () => {});
  });
}
