import { describe, expect, it } from '@jest/globals';
import type { DeviceMapper } from './device-mapper.js';
import { loggedDeviceMapper } from './logged-device-mapper.js';
import { SimulatedKernel } from './simulator.test-support.js';

/** What is told at a level when a device is made, looked at, and two calls fail. */
async function told(level: number): Promise<string[]> {
  const lines: string[] = [];
  const kernel = new SimulatedKernel();
  const deviceMapper = loggedDeviceMapper(kernel.deviceMapper(), level, (at, line) =>
    lines.push(`${at} ${line}`),
  );
  await exercise(deviceMapper);
  return lines;
}

async function exercise(deviceMapper: DeviceMapper): Promise<void> {
  await deviceMapper.create('a');
  await deviceMapper.info('a');
  await expect(deviceMapper.create('a')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
  await expect(deviceMapper.resume('a')).rejects.toMatchObject({ errno: 'EINVAL' });
  await deviceMapper.close();
}

describe('the log of the device mapper (dm.libdm_log_level)', () => {
  it('is silent at 2', async () => {
    expect(await told(2)).toEqual([]);
  });

  it('tells failures from 3, those that callers expect from 4', async () => {
    expect(await told(3)).toEqual([expect.stringMatching(/^3 resume a failed: .*EINVAL/)]);
    expect(await told(4)).toEqual([
      expect.stringMatching(/^4 create a failed: .*EBUSY/),
      expect.stringMatching(/^3 resume a failed/),
    ]);
    expect(await told(5)).toHaveLength(2);
  });

  it('tells changes from 6 and everything at 7', async () => {
    const changes = ['6 create a', '6 create a', '6 resume a', '6 close'];
    expect((await told(6)).filter((line) => line.startsWith('6'))).toEqual(changes);
    expect(await told(7)).toContain('7 info a');
  });
});
