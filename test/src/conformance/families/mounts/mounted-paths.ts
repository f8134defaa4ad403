import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';

/** Where something of the driver's layers is mounted. A driver may have its home itself on a mount. */
export async function mountedPaths(home: string): Promise<readonly string[]> {
  const mounts = mountsBelow(await readMountInfo(), home).map(({ mountPoint }) => mountPoint);
  return mounts.filter((path) => path !== home).sort();
}
