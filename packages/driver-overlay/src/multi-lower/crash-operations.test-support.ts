import type { OverlayDriver } from '../overlay-driver.js';

/** What the crash tests do to a home, by name; opening it is enough for what is in there to be recovered. */
export const CRASH_OPERATIONS: Readonly<Record<string, (driver: OverlayDriver) => Promise<void>>> = {
  open: async () => {},
  create: (driver) => driver.create('child', 'middle'),
  'create-read-write': (driver) => driver.createReadWrite('child', 'top'),
  remove: (driver) => driver.remove('top'),
  mount: async (driver) => {
    await driver.get('top');
    await driver.get('middle');
    process.kill(process.pid, 'SIGKILL');
  },
};
