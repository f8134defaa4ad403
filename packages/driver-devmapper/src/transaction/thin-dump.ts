import { LayerStoreError } from '@x/archive';
import { runProgram } from '@x/layer-store/driver-kit';
import type { ThinPool } from '../pool/thin-pool.js';
import type { DeviceStamp, PoolContents } from './pool-contents.js';

/** The dump of a pool with thousands of devices takes seconds, not minutes. Milliseconds. */
const TIMEOUT = 120_000;

/**
 * Reads the devices out of the XML of `thin_dump --skip-mappings`: device id → transaction id it was made in.
 * (thin-provisioning-tools, both the C++ and the Rust edition.) Output without an end is DRIVER_FAILED.
 */
export function parseThinDump(xml: string): ReadonlyMap<number, number> {
  if (!xml.trimEnd().endsWith('</superblock>')) {
    throw new LayerStoreError('DRIVER_FAILED', 'thin_dump did not write a whole dump', {
      driver: 'devicemapper',
    });
  }
  const stamps = new Map<number, number>();
  for (const [, attributes = ''] of xml.matchAll(/<device\s([^>]*)>/g)) {
    const id = /\bdev_id="(\d+)"/.exec(attributes)?.[1];
    const transaction = /\btransaction="(\d+)"/.exec(attributes)?.[1];
    if (id !== undefined && transaction !== undefined) stamps.set(Number(id), Number(transaction));
  }
  return stamps;
}

/** What {@link ThinDumpContents} works on. */
export interface ThinDumpOptions {
  readonly pool: ThinPool;
  /** Path of the node of the pool's metadata device. */
  readonly metadataDevice: () => Promise<string>;
  /** Told why an answer could not be had. */
  readonly onReason: (reason: string) => void;
}

/**
 * The contents of a live pool, by thin_dump on a metadata snapshot: the snapshot is held for as long as the program runs, and
 * one that a dead process left must have been released before.
 */
export class ThinDumpContents implements PoolContents {
  readonly #options: ThinDumpOptions;

  constructor(options: ThinDumpOptions) {
    this.#options = options;
  }

  async stampOf(deviceId: number): Promise<DeviceStamp> {
    const stamps = await this.#dump(['--dev-id', String(deviceId)]);
    return stamps === undefined ? undefined : (stamps.get(deviceId) ?? 'absent');
  }

  async deviceIds(): Promise<readonly number[] | undefined> {
    const stamps = await this.#dump([]);
    return stamps === undefined ? undefined : [...stamps.keys()];
  }

  async #dump(args: readonly string[]): Promise<ReadonlyMap<number, number> | undefined> {
    const { pool, metadataDevice, onReason } = this.#options;
    try {
      const device = await metadataDevice();
      await pool.reserveMetadataSnapshot();
      try {
        const everything = ['--metadata-snap', '--skip-mappings', ...args, device];
        const { stdout } = await runProgram('thin_dump', everything, { timeout: TIMEOUT });
        return parseThinDump(stdout.toString('latin1'));
      } finally {
        await pool.releaseMetadataSnapshot();
      }
    } catch (error) {
      onReason(`the devices of the pool could not be listed (thin_dump: ${String(error)})`);
      return undefined;
    }
  }
}
