import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import { syncDirectory } from '@x/layer-store/driver-kit';
import type { DeviceSetRecord } from '../metadata/device-set-record.js';
import {
  DEFAULT_BLOCK_SECTORS,
  DEFAULT_LOOP_DATA_SIZE,
  DEFAULT_LOOP_METADATA_SIZE,
  type ResolvedDevmapperOptions,
} from '../options/options.js';
import { createPool } from '../pool/create-pool.js';
import { ThinPool } from '../pool/thin-pool.js';
import type { DeviceNames } from './device-names.js';
import type { DeviceSetHost } from './host.js';

/** What {@link findOrCreatePool} works on. */
export interface PoolRequest {
  readonly home: string;
  readonly host: DeviceSetHost;
  readonly options: ResolvedDevmapperOptions;
  readonly names: DeviceNames;
  readonly record: DeviceSetRecord;
  /** Records of devices there are: a pool that is made of new files cannot have them. */
  readonly recordedDevices: number;
  readonly warn: (message: string) => void;
}

/** A pool that is active. */
export interface FoundPool {
  readonly pool: ThinPool;
  /** It was not there before. */
  readonly created: boolean;
}

/** Sizes of the loop files as they are now, for later starts to compare with; 0 where the pool is on something else. */
export async function loopFileSizes(
  home: string,
  options: ResolvedDevmapperOptions,
): Promise<{ readonly poolData: number; readonly poolMetadata: number }> {
  const own = options.thinPoolDevice === undefined;
  const size = async (which: 'data' | 'metadata', device: string | undefined): Promise<number> =>
    own && device === undefined ? ((await fileSize(loopFile(home, which))) ?? 0) : 0;
  return {
    poolData: await size('data', options.dataDevice),
    poolMetadata: await size('metadata', options.metadataDevice),
  };
}

/** The loop files of a home. */
export function loopFile(home: string, which: 'data' | 'metadata'): string {
  return join(home, 'devicemapper', which);
}

/**
 * The pool of this home: adopted where it is active, made of loop files or the given devices where it is not (spec/drivers.md
 * 2.5 steps 6 and 8). Everything that can be refused is refused before anything is made: a device of another type, a missing
 * `dm.thinpooldev`, another block size than recorded, lost loop files, loop files that another pool has attached.
 */
export async function findOrCreatePool(request: PoolRequest): Promise<FoundPool> {
  const { host, names, options } = request;
  const pool = new ThinPool(host.deviceMapper, names.pool);
  checkBlockSize(request, request.record.thinBlockSectors);
  if ((await host.deviceMapper.info(names.pool)) !== undefined) {
    checkBlockSize(request, (await pool.table()).blockSectors);
    return { pool, created: false };
  }
  if (options.thinPoolDevice !== undefined) {
    throw new LayerStoreError(
      'DRIVER_POOL_UNUSABLE',
      `there is no active device ${options.thinPoolDevice}: activate the pool (vgchange -ay, dmsetup create) or correct ` +
        'dm.thinpooldev',
      { driver: 'devicemapper', option: 'dm.thinpooldev', name: options.thinPoolDevice },
    );
  }
  await checkGivenDevices(request);
  await checkLoopFiles(request);
  await makePool(request);
  return { pool, created: true };
}

/** Our descriptors of the loop devices are closed once the pool has them open: they then go when it goes (autoclear). */
async function makePool({ home, host, names, options, record, warn }: PoolRequest): Promise<void> {
  await using data = await openBacking(
    host,
    options.dataDevice,
    loopFile(home, 'data'),
    { asked: options.loopDataSize, otherwise: DEFAULT_LOOP_DATA_SIZE },
    warn,
  );
  await using metadata = await openBacking(
    host,
    options.metadataDevice,
    loopFile(home, 'metadata'),
    { asked: options.loopMetadataSize, otherwise: DEFAULT_LOOP_METADATA_SIZE },
    warn,
  );
  await createPool(host.deviceMapper, {
    name: names.pool,
    dataDevice: data.path,
    metadataDevice: metadata.path,
    dataBytes: await host.fileSystems.deviceSize(data.path),
    blockSectors: options.blockSectors ?? (record.thinBlockSectors || DEFAULT_BLOCK_SECTORS),
    errorIfNoSpace: options.poolErrorIfNoSpace,
  });
}

interface Backing extends AsyncDisposable {
  readonly path: string;
}

/** Bytes of a loop file. */
interface ImageSize {
  /** By the options. */
  readonly asked: number | undefined;
  /** Of a new file when nothing was asked for. */
  readonly otherwise: number;
}

async function openBacking(
  host: DeviceSetHost,
  device: string | undefined,
  file: string,
  { asked, otherwise }: ImageSize,
  warn: (message: string) => void,
): Promise<Backing> {
  if (device !== undefined) return { path: device, [Symbol.asyncDispose]: () => Promise.resolve() };
  // Only a size that was asked for makes a file grow: a pool never shrinks again.
  const size = asked ?? (await fileSize(file)) ?? otherwise;
  const image = await host.loops.ensureImage(file, size);
  if (image.outcome === 'created') {
    await syncDirectory(dirname(file));
    await syncDirectory(dirname(dirname(file)));
  }
  if (image.outcome === 'larger-than-asked') {
    warn(
      `${file} has ${image.size} bytes and keeps them: the ${size} asked for are fewer, and a pool does not shrink`,
    );
  }
  return host.loops.attach(file);
}

/** `made`: sectors per block of the pool as it is or was recorded; 0: not known. */
function checkBlockSize({ options, home }: PoolRequest, made: number): void {
  if (options.blockSectors === undefined || made === 0 || made === options.blockSectors) return;
  throw new LayerStoreError(
    'OPTION_INVALID',
    `dm.blocksize=${options.blockSectors * 512} is not the ${made * 512} bytes that the pool of ${home} was made with, ` +
      'and that is fixed for the life of a pool: leave the option out',
    { driver: 'devicemapper', option: 'dm.blocksize' },
  );
}

/** A loop file beside a device that turns out not to be there would be made for nothing. */
async function checkGivenDevices({ host, options }: PoolRequest): Promise<void> {
  const given = [
    { option: 'dm.datadev', path: options.dataDevice },
    { option: 'dm.metadatadev', path: options.metadataDevice },
  ];
  for (const { option, path } of given) {
    if (path === undefined) continue;
    await host.fileSystems.deviceSize(path).catch((cause: unknown) => {
      throw new LayerStoreError(
        'OPTION_INVALID',
        `${option}=${path} is no block device that can be used: give the path of a disk, a partition or a volume`,
        { driver: 'devicemapper', option, path, cause },
      );
    });
  }
}

/** Files that are lost, have lost their end, or are somebody else's pool already. */
async function checkLoopFiles({ home, host, options, record, recordedDevices }: PoolRequest): Promise<void> {
  const files = [
    { file: loopFile(home, 'data'), known: record.poolData, used: options.dataDevice === undefined },
    {
      file: loopFile(home, 'metadata'),
      known: record.poolMetadata,
      used: options.metadataDevice === undefined,
    },
  ];
  for (const { file, known } of files.filter(({ used }) => used)) {
    const size = await fileSize(file);
    if (size === undefined && recordedDevices === 0) continue;
    if (size === undefined || size < known) {
      throw new LayerStoreError(
        'DRIVER_STATE_FOREIGN',
        `${file} ${size === undefined ? 'is missing' : `has ${size} bytes of ${known}`} but ${home}/metadata has records of ` +
          `${recordedDevices} devices: put the whole file back, or remove the home to begin anew`,
        { driver: 'devicemapper', path: file },
      );
    }
    const loop = await host.loops.find(file);
    if (loop === undefined) continue;
    throw new LayerStoreError(
      'DRIVER_BUSY',
      `${file} is attached to ${loop}, which another pool may be using: two pools on one file destroy it; ` +
        `remove that pool (dmsetup ls --tree) or detach with losetup -d ${loop}`,
      { driver: 'devicemapper', path: file },
    );
  }
}

/** Bytes; undefined: there is no such file. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
