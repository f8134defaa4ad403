import { describe, it } from '@jest/globals';
import { aufsDriver } from '@x/driver-aufs';
import { aufsModelDriver } from '@x/driver-aufs/testing';
import { declareConformance, WORK_DIRECTORY } from './machine.test-support.js';

/*
 * aufs over the model of its kernel, everywhere; over the kernel where it has aufs. This project's own machines have none: that is a
 * skip with its reason also in CI. LAYER_STORE_AUFS chooses: `model`, or `real`, which fails where it cannot run.
 */

const choice = process.env.LAYER_STORE_AUFS;
const probe = await aufsDriver.probe(`${WORK_DIRECTORY}/aufs`);

if (choice !== 'real') {
  await declareConformance(aufsModelDriver, '@x/driver-aufs/testing', 'aufsModelDriver');
}
if (choice === 'real' || (choice !== 'model' && probe.supported)) {
  await declareConformance(aufsDriver, '@x/driver-aufs', 'aufsDriver');
} else {
  const why = probe.supported ? 'LAYER_STORE_AUFS=model' : `${probe.reason}; ${probe.remedy}`;
  describe('conformance of aufs on the kernel of this machine', () => {
    it.skip(`not run: ${why}`, () => {});
  });
}
