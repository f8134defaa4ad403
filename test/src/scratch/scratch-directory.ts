import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';

/** A directory of a test's own, on the machine's tmpfs where there is one; removed with everything in it. */
export interface ScratchDirectory extends AsyncDisposable {
  readonly path: string;
}

export async function scratchDirectory(): Promise<ScratchDirectory> {
  const parent = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  const path = await mkdtemp(`${parent}/layer-store-test-`);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
