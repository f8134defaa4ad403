import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { native } from '@x/native';

/** A flush of a slow disk may take long; a helper that takes longer than this is stuck. Milliseconds. */
const HELPER_TIMEOUT = 600_000;

/** Flushes the file system that holds `directory`: syncfs(2), by the addon or else by coreutils' `sync -f`. */
export async function syncFileSystem(directory: string): Promise<void> {
  if (!native.available) {
    await helper(directory);
    return;
  }
  const handle = await open(directory, 'r');
  try {
    await native.calls.syncfs(handle.fd);
  } finally {
    await handle.close();
  }
}

function helper(directory: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'sync',
      ['-f', '--', directory],
      { timeout: HELPER_TIMEOUT, env: { PATH: '/usr/bin:/bin' } },
      (error) => {
        if (error === null) resolve();
        else reject(error);
      },
    );
    child.stdin?.end();
  });
}
