import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileSystemOf } from '@x/layer-store/driver-kit';
import { type NativeCalls, native } from '@x/native';
import { givesEntryTypes } from './d-type.js';
import { inUserNamespace } from './user-namespace.js';

/** There when the kernel has the option `index`, whose default an administrator may change at run time. */
const INDEX_PARAMETER = '/sys/module/overlay/parameters/index';

/** What an overlay driver needs to know about the host and the file system of a home that exists. */
export interface OverlayFacts {
  /** `index=off` has to be said: with an index a directory cannot be upper and lower in turn. */
  readonly index: boolean;
  /** Attributes are `user.overlay.*` (mount option `userxattr`, kernel 5.11): `trusted.*` is out of reach. */
  readonly userXattr: boolean;
  /** Short name, see `fileSystemName`. */
  readonly fileSystem: string;
  /** Entries of directories come with a type. Undefined without the addon, which is what could tell. */
  readonly dType: boolean | undefined;
}

/** Looks at a home that exists. Mounts nothing. */
export async function overlayFacts(home: string): Promise<OverlayFacts> {
  const { name } = await fileSystemOf(home);
  return {
    index: existsSync(INDEX_PARAMETER),
    userXattr: inUserNamespace(),
    fileSystem: name,
    dType: native.available ? await lookForTypes(native.calls, home) : undefined,
  };
}

/** An empty home is an entry itself. */
async function lookForTypes(calls: NativeCalls, home: string): Promise<boolean | undefined> {
  return (await givesEntryTypes(calls, home)) ?? (await givesEntryTypes(calls, dirname(home)));
}
