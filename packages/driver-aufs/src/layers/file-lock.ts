import { type FileHandle, open } from 'node:fs/promises';
import { LayerStoreError } from '@x/archive';
import { native } from '@x/native';

const FIRST_DELAY = 1;
const LONGEST_DELAY = 50;
/** Nothing is done under these locks that takes longer; whoever holds one so long is stuck. Milliseconds. */
const PATIENCE = 60_000;

/** A lock that is held until it is closed, or its process dies. */
export interface FileLock extends AsyncDisposable {
  close(): Promise<void>;
}

/**
 * Locks a file between processes and instances, made if it is not there (open-file-description locks). Without the addon
 * there are none, and nothing can be mounted either: then this process is on its own.
 * @throws DRIVER_BUSY when somebody keeps it for a minute
 */
export async function lockFile(file: string, kind: 'shared' | 'exclusive'): Promise<FileLock> {
  const handle = await open(file, 'a+', 0o600);
  try {
    for (let waited = 0, delay = FIRST_DELAY; !tryLock(handle, kind); waited += delay) {
      if (waited >= PATIENCE) {
        throw new LayerStoreError(
          'DRIVER_BUSY',
          `${file} is locked by another process: wait for it or end it`,
          {
            driver: 'aufs',
            path: file,
          },
        );
      }
      delay = Math.min(delay * 2, LONGEST_DELAY);
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  return lockOf(handle);
}

/** As {@link lockFile} with an exclusive lock, but undefined at once when somebody else has it. */
export async function tryLockFile(file: string): Promise<FileLock | undefined> {
  const handle = await open(file, 'a+', 0o600);
  if (tryLock(handle, 'exclusive')) return lockOf(handle);
  await handle.close();
  return undefined;
}

function tryLock(handle: FileHandle, kind: 'shared' | 'exclusive'): boolean {
  return !native.available || native.calls.ofdLockSync(handle.fd, kind);
}

function lockOf(handle: FileHandle): FileLock {
  const close = (): Promise<void> => handle.close();
  return { close, [Symbol.asyncDispose]: close };
}
