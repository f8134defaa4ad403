import { defineFailpoints, type FailpointSet } from '@x/layer-store/driver-kit';

/** Every step of the driver that changes what outlives the process, by name. */
export const AUFS_FAILPOINTS = [
  'aufs-create.mount-point',
  'aufs-create.branch',
  'aufs-create.parents',
  'aufs-remove.unmount',
  'aufs-remove.parents',
  'aufs-remove.set-aside-branch',
  'aufs-remove.set-aside-mount-point',
  'aufs-remove.delete-branch',
  'aufs-remove.delete-mount-point',
  'aufs-sweep.delete',
  'aufs-sweep.set-aside-orphan',
  'aufs-sweep.delete-orphan',
  'aufs-mount.first-call',
  'aufs-mount.append',
] as const;

/** A name of {@link AUFS_FAILPOINTS}. */
export type AufsFailpoint = (typeof AUFS_FAILPOINTS)[number];

const FAILPOINTS: FailpointSet<AufsFailpoint> = defineFailpoints(AUFS_FAILPOINTS);

/** Runs one of the steps. */
export function step<T>(name: AufsFailpoint, work: () => Promise<T>): Promise<T> {
  return FAILPOINTS.step(name, work);
}
