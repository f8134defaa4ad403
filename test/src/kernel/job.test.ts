import { expect, it } from '@jest/globals';
import { passedEnvironment } from './job.js';

it('the guest sees CI and the settings of Layer Store, and nothing else of the caller', () => {
  expect(
    passedEnvironment({
      CI: 'true',
      NODE_OPTIONS: '--stack-size=2000',
      LAYER_STORE_NATIVE: 'off',
      LAYER_STORE_FAILPOINT: undefined,
      PATH: '/home/me/bin',
      TMPDIR: '/var/tmp',
      MY_LAYER_STORE_X: '1',
    }),
  ).toEqual({ CI: 'true', NODE_OPTIONS: '--stack-size=2000', LAYER_STORE_NATIVE: 'off' });
});
