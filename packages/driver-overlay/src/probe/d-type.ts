import { open } from 'node:fs/promises';
import type { NativeCalls } from '@x/native';

const DT_UNKNOWN = 0;

/** Whether entries of a directory, which has some, come with their type: getdents(2) says so. */
export async function givesEntryTypes(calls: NativeCalls, directory: string): Promise<boolean> {
  await using handle = await open(directory, 'r');
  return (await calls.getdents(handle.fd)).every(({ type }) => type !== DT_UNKNOWN);
}
