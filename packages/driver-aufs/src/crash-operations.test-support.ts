import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AufsDriver } from './aufs-driver.js';
import { AufsKernelModel } from './kernel-model/aufs-kernel-model.js';

/** Layers of the chain that crash tests work with: more than fit into one call of eight options. */
export const CHAIN_LENGTH = 9;
export const TOP: string = `layer-${CHAIN_LENGTH - 1}`;
export const DOOMED = 'doomed';
export const NEW = 'new';

/** A driver in a scratch directory, on a kernel whose unions outlive the process. */
export function driverIn(base: string): { readonly driver: AufsDriver; readonly kernel: AufsKernelModel } {
  const kernel = new AufsKernelModel({ stateFile: join(base, 'unions.json') });
  const driver = new AufsDriver({
    home: join(base, 'aufs'),
    xino: join(base, 'xino'),
    maxMountOptions: 8,
    kernel,
  });
  return { driver, kernel };
}

/** A chain with a file in each layer, and a layer beside it. */
export async function prepare(base: string): Promise<void> {
  const { driver } = driverIn(base);
  await driver.open();
  for (let index = 0; index < CHAIN_LENGTH; index++) {
    await driver.create(`layer-${index}`, index === 0 ? undefined : `layer-${index - 1}`);
    writeFileSync(join(base, 'aufs/diff', `layer-${index}`, `file-${index}`), `${index}`);
  }
  await driver.create(DOOMED, 'layer-2');
  writeFileSync(join(base, 'aufs/diff', DOOMED, 'file'), 'x');
  await driver.close();
}

/** What an interrupted create and an interrupted removal leave. */
export function leaveRemnants(base: string): void {
  const home = join(base, 'aufs');
  for (const name of ['diff/half/d', 'mnt/half', 'diff/gone-removing/d', 'mnt/gone-removing']) {
    mkdirSync(join(home, name), { recursive: true });
  }
}

/** What a process does that is killed. */
export const OPERATIONS = {
  create: (driver: AufsDriver): Promise<unknown> => driver.create(NEW, TOP),
  remove: (driver: AufsDriver): Promise<unknown> => driver.remove(DOOMED),
  mount: (driver: AufsDriver): Promise<unknown> => driver.get(TOP),
  open: (): Promise<unknown> => Promise.resolve(),
} as const;

export type OperationName = keyof typeof OPERATIONS;
