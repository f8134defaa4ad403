import { LayerStoreError } from '@x/archive';

/** Longest name of a read-write layer, in bytes: what a file name may have. */
const NAME_LIMIT = 255;

/** Checks the name of a read-write layer (spec/layer-archive.md 2.2). Throws MOUNT_NAME_INVALID. */
export function checkMountName(name: string): string {
  const valid =
    typeof name === 'string' &&
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !name.includes('/') &&
    !name.includes('\0') &&
    Buffer.byteLength(name) <= NAME_LIMIT;
  if (valid) return name;
  throw new LayerStoreError(
    'MOUNT_NAME_INVALID',
    `${JSON.stringify(String(name).slice(0, 300))} cannot name a read-write layer: use 1 to ${NAME_LIMIT} bytes without '/' and NUL, not '.' or '..'`,
    { name: String(name) },
  );
}
