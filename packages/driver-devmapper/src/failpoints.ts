import { defineFailpoints, type FailpointSet } from '@x/layer-store/driver-kit';

/** Every step of the driver that changes durable state: files, pool metadata, frozen devices (spec/drivers.md 2.10). */
export const DEVMAPPER_FAILPOINTS = [
  // C1 to C6: a device is made
  'create.open',
  'create.refresh',
  'create.pool-create',
  'create.snapshot',
  'create.metafile',
  'create.close',
  'create.abandon',
  // D1 to D5: a device is deleted
  'delete.open',
  'delete.discard',
  'delete.pool-delete',
  'delete.metafile',
  'delete.close',
  'delete.abandon',
  'delete.mark',
  'delete.entomb',
  // B1 and B2: the base device gets its file system
  'base.file-system',
  'base.mkfs',
  'base.initialized',
  'base.uuid',
  // M1: the single file of Docker 0.7 is taken apart
  'migration.device',
  'migration.done',
  // R1: the pool grows
  'resize.file',
  'resize.capacity',
  'resize.reload',
  'resize.resume',
  // G1: a device and its file system grow
  'grow.metafile',
  'grow.file-system',
  // the pool-wide record
  'record.save',
  // what a start puts right
  'recover.resume',
  'recover.delete',
  'recover.metafile',
  'recover.transaction',
  'recover.snapshot',
] as const;

/** A name of {@link DEVMAPPER_FAILPOINTS}. */
export type DevmapperFailpoint = (typeof DEVMAPPER_FAILPOINTS)[number];

const FAILPOINTS: FailpointSet<DevmapperFailpoint> = defineFailpoints(DEVMAPPER_FAILPOINTS);

/** Runs one step that changes durable state; a crash test kills the process before or after it. */
export function step<T>(name: DevmapperFailpoint, work: () => Promise<T>): Promise<T> {
  return FAILPOINTS.step(name, work);
}
