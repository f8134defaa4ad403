import { type FileHandle, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { LayerStoreError } from '@x/archive';
import { native } from '@x/native';
import { parseHolder } from './holder.js';
import { takeHolderFile } from './holder-file.js';
import { claimDirectory } from './process-registry.js';

const OFD_FILE = 'lock';
const HOLDER_FILE = 'lock.holder';

/** A directory that belongs to one opener. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Makes this process, and this opener within it, the only one in `directory`: the process-wide registry, then with the
 * addon an open-file-description lock (fcntl_locking(2); it ends with the process whatever happens), then a holder file,
 * which also keeps out processes without the addon. Throws STORE_LOCKED, naming the holder's pid where it is known.
 */
export async function lockDirectory(
  directory: string,
  options: { readonly portable?: boolean } = {},
): Promise<DirectoryLock> {
  const unclaim = await claimDirectory(directory);
  let handle: FileHandle | undefined;
  try {
    handle = options.portable === true ? undefined : await takeKernelLock(directory);
    const removeHolder = await takeHolderFile(path.join(directory, HOLDER_FILE), handle !== undefined);
    const kernelLock = handle;
    return {
      release: async () => {
        try {
          await removeHolder();
        } finally {
          await kernelLock?.close();
          unclaim();
        }
      },
    };
  } catch (error) {
    await handle?.close();
    unclaim();
    throw error;
  }
}

async function takeKernelLock(directory: string): Promise<FileHandle | undefined> {
  if (!native.available) return undefined;
  const handle = await open(path.join(directory, OFD_FILE), 'a+', 0o600);
  try {
    if (native.calls.ofdLockSync(handle.fd, 'exclusive')) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  const text = await readFile(path.join(directory, HOLDER_FILE), 'utf8').catch(() => '');
  const holder = parseHolder(text);
  throw new LayerStoreError(
    'STORE_LOCKED',
    `${directory} is held by ${holder === undefined ? 'another opener' : `process ${holder.pid}`}: close that store first`,
    { path: directory, ...(holder === undefined ? {} : { actual: String(holder.pid) }) },
  );
}
