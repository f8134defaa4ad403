import { open } from 'node:fs/promises';
import type { NativeCalls } from '@x/native';

const DT_UNKNOWN = 0;

/** Whether entries of a directory come with their type: getdents(2) says so. Undefined for one without entries. */
export async function givesEntryTypes(calls: NativeCalls, directory: string): Promise<boolean | undefined> {
  await using handle = await open(directory, 'r');
  const entries = await calls.getdents(handle.fd);
  return entries.length === 0 ? undefined : entries.every(({ type }) => type !== DT_UNKNOWN);
}
