import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ProbeResult } from '@x/layer-store';
import type { Check } from '../../check.js';
import { expectCode, expectEqual, expectTrue } from '../../expectation.js';

const family = 'contract';
const CODES: readonly string[] = [
  'DRIVER_NOT_SUPPORTED',
  'DRIVER_PREREQUISITES',
  'DRIVER_INCOMPATIBLE_FS',
  'DRIVER_FAILED',
];

/** A factory says whether a driver can run, and makes it. */
export const PROBE_CHECKS: readonly Check[] = [
  {
    family,
    name: 'probe says that the driver can run here, and makes nothing',
    run: async ({ factory, scratch }) => {
      const directory = await scratch();
      for (const home of [
        path.join(directory, 'home'),
        path.join(directory, 'not', 'yet', 'home'),
        directory,
      ]) {
        const result = await factory.probe(home);
        expectWellFormed(result);
        expectTrue(result.supported, `the driver is supported at ${home}`);
        expectEqual(await readdir(directory), [], 'names in the directory after a probe');
      }
    },
  },
  {
    family,
    name: 'probe never throws, and says of an impossible home why and what to do',
    run: async ({ factory, scratch }) => {
      const file = path.join(await scratch(), 'file');
      await writeFile(file, '');
      for (const home of [file, path.join(file, 'below'), '/proc/self/no-such-directory/home']) {
        const result = await factory.probe(home);
        expectWellFormed(result);
        expectTrue(!result.supported, `${home} is refused`);
      }
    },
  },
  {
    family,
    name: 'a factory refuses options that the driver does not know, and homes that are not absolute',
    run: async ({ factory, facts, scratch }) => {
      const home = path.join(await scratch(), facts.driverName);
      await expectCode('OPTION_UNKNOWN', 'an unknown driver option', () =>
        factory.create({ home, options: { ...facts.options, 'no-such-option': 'x' } }),
      );
      await expectCode('OPTION_UNKNOWN', "an unknown driver option in Docker's spelling", () =>
        factory.create({ home, options: { ...facts.options, [`${facts.driverName}.no-such-option`]: 'x' } }),
      );
      for (const bad of ['relative/home', '', 'nul\0byte']) {
        await expectCode('OPTION_INVALID', `home ${JSON.stringify(bad)}`, () =>
          factory.create({ home: bad, options: facts.options }),
        );
      }
    },
  },
];

function expectWellFormed(result: ProbeResult): void {
  if (result.supported) {
    expectTrue(
      result.warnings.every((warning) => typeof warning === 'string' && warning !== ''),
      'warnings are text',
    );
    return;
  }
  expectTrue(CODES.includes(result.code), `${result.code} is one of ${CODES.join(', ')}`);
  expectTrue(result.reason !== '' && result.remedy !== '', 'a refusal has a reason and a remedy');
}
