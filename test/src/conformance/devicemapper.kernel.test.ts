import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { afterAll, describe } from '@jest/globals';
import { devicemapperDriver } from '@x/driver-devmapper';
import { runDriverConformance } from './run-driver-conformance.js';
import { ThinPoolDisks } from './thin-pool-disks.test-support.js';

/*
 * In the guest of test/kernel (`npm run test:kernel -- test/dist/conformance`): ext4 on loop files, xfs on plain disks.
 * LAYER_STORE_DEVMAPPER=all runs the two other combinations as well.
 */

const url = pathToFileURL(createRequire(import.meta.url).resolve('@x/driver-devmapper')).href;
const workDirectory = process.env.LAYER_STORE_SCRATCH ?? '/run/scratch';
const [disk = ''] = (process.env.LAYER_STORE_BLOCK_DEVICES ?? '').split(' ');

/** The check of sizes asks for a layer of 50 MB, so the base device has to be smaller. */
const COMMON = { 'dm.basesize': '48M', 'dm.min_free_space': '0%' };
const LOOPS = { 'dm.loopdatasize': '1G', 'dm.loopmetadatasize': '16M' };
const EXT4 = { 'dm.fs': 'ext4' };
/** mkfs.xfs refuses to make file systems so small unless it is told that nobody supports them. */
const XFS = { 'dm.fs': 'xfs', 'dm.mkfsarg': '--unsupported' };

function onLoops(options: Readonly<Record<string, string>>): void {
  runDriverConformance({
    factory: devicemapperDriver,
    module: { url, export: 'devicemapperDriver' },
    options: { ...COMMON, ...LOOPS, ...options },
    workDirectory,
  });
}

function onDisks(options: Readonly<Record<string, string>>): void {
  const disks = new ThinPoolDisks(devicemapperDriver, disk);
  afterAll(() => disks.remove());
  runDriverConformance({ factory: disks.factory, options: { ...COMMON, ...options }, workDirectory });
}

const ALL = process.env.LAYER_STORE_DEVMAPPER === 'all';

describe('ext4 on loop files', () => onLoops(EXT4));
describe('xfs on plain disks', () => onDisks(XFS));
if (ALL) describe('xfs on loop files', () => onLoops(XFS));
if (ALL) describe('ext4 on plain disks', () => onDisks(EXT4));
