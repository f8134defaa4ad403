/**
 * What is measured, one operation in a process of its own: `node subject.js OPERATION ARGUMENT…`. Stores are of the driver
 * that BENCH_DRIVER names (vfs). Prints one JSON object with the seconds of the operation alone (Docker's command does the same) and the peak resident set.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { applyLayer, fileSource } from '@x/archive';
import { overlay2Driver, overlayDriver } from '@x/driver-overlay';
import { vfsDriver } from '@x/driver-vfs';
import { type Layer, LayerStore } from '@x/layer-store';
import * as tar from 'tar';
import tarFs from 'tar-fs';
import { peakMemoryMiB } from '../program/peak-memory.js';
import { median } from './statistics.js';
import { emptyTarWith } from './tiny-layer.js';

const CHUNK = 1 << 20;

interface Measured {
  readonly seconds: number;
  /** Of the first run in the process, when there were several. */
  readonly firstSeconds?: number;
  readonly chainId?: string;
  readonly layers?: number;
}

async function timed(work: () => Promise<Omit<Measured, 'seconds'>>): Promise<Measured> {
  const started = process.hrtime.bigint();
  const result = await work();
  return { seconds: Number(process.hrtime.bigint() - started) / 1e9, ...result };
}

function openStore(root: string): Promise<LayerStore> {
  return LayerStore.open({
    root,
    driver: process.env.BENCH_DRIVER ?? 'vfs',
    drivers: [vfsDriver, overlay2Driver, overlayDriver],
  });
}

/**
 * Registers the file `times` times; all but the last are released again. The first one pays for compiling the code, as a program
 * that registers a single layer does; the median of the others is what a build tool sees.
 */
async function register(root: string, file: string, times: number): Promise<Measured> {
  await using store = await openStore(root);
  const runs: Measured[] = [];
  for (let n = 1; n <= times; n++) {
    let layer: Layer | undefined;
    runs.push(
      await timed(async () => {
        layer = await store.register(fileSource(file));
        return { chainId: layer.chainId };
      }),
    );
    if (n < times) await layer?.release();
  }
  return summary(runs);
}

async function exportLayer(root: string, chainId: string, times: number): Promise<Measured> {
  await using store = await openStore(root);
  const layer = await store.get(chainId);
  const runs: Measured[] = [];
  for (let n = 0; n < times; n++) {
    runs.push(
      await timed(async () => {
        let bytes = 0;
        const stream = layer.tarStream();
        for await (const chunk of stream) {
          bytes += chunk.length;
          stream.recycle(chunk);
        }
        return bytes > 0 ? {} : Promise.reject(new Error('nothing was exported'));
      }),
    );
  }
  return summary(runs);
}

function summary(runs: readonly Measured[]): Measured {
  const [first, ...others] = runs;
  if (first === undefined) throw new RangeError('nothing was measured');
  if (others.length === 0) return first;
  return { ...first, seconds: median(others.map(({ seconds }) => seconds)), firstSeconds: first.seconds };
}

async function fill(root: string, count: number): Promise<Measured> {
  await using store = await openStore(root);
  return await timed(async () => {
    for (let n = 0; n < count; n++) await store.register(emptyTarWith(`layer-${n}`));
    return { layers: store.map().size };
  });
}

async function reopen(root: string): Promise<Measured> {
  let store: LayerStore | undefined;
  try {
    return await timed(async () => {
      store = await openStore(root);
      return { layers: store.map().size };
    });
  } finally {
    await store?.close();
  }
}

async function readWrite(root: string, chainId: string, count: number): Promise<Measured> {
  await using store = await openStore(root);
  await store.get(chainId);
  return await timed(async () => {
    for (let n = 0; n < count; n++) {
      const rw = await store.createRWLayer(`bench-${n}`, chainId);
      await rw.mount();
      await rw.unmount();
      await store.releaseRWLayer(rw);
    }
    return {};
  });
}

/** A layer of one file on a parent: what the driver does about the parent's files is all there is to it. */
async function registerChild(root: string, parent: string): Promise<Measured> {
  await using store = await openStore(root);
  await store.get(parent);
  return await timed(async () => {
    await store.register(emptyTarWith('child'), parent);
    return {};
  });
}

async function extractWithTarFs(target: string, file: string): Promise<Measured> {
  return await timed(async () => {
    await pipeline(
      createReadStream(file, { highWaterMark: CHUNK }),
      tarFs.extract(target, { validateSymlinks: false }),
    );
    return {};
  });
}

/** Only unpacks, as the other archive libraries do: no digest, no record, no store. */
async function extract(target: string, file: string): Promise<Measured> {
  return await timed(async () => {
    await applyLayer(fileSource(file), target);
    return {};
  });
}

async function extractWithNodeTar(target: string, file: string): Promise<Measured> {
  return await timed(async () => {
    tar.extract({ cwd: target, file, sync: true, preserveOwner: true });
    return {};
  });
}

async function packWithTarFs(source: string, file: string): Promise<Measured> {
  return await timed(async () => {
    await pipeline(tarFs.pack(source), createWriteStream(file));
    return {};
  });
}

async function run(operation: string, args: readonly string[]): Promise<Measured> {
  const [first = '', second = '', third = ''] = args;
  switch (operation) {
    case 'register':
      return await register(first, second, Number(third));
    case 'export':
      return await exportLayer(first, second, Number(third));
    case 'fill':
      return await fill(first, Number(second));
    case 'reopen':
      return await reopen(first);
    case 'rw':
      return await readWrite(first, second, Number(third));
    case 'child':
      return await registerChild(first, second);
    case 'extract':
      return await extract(first, second);
    case 'tar-fs-extract':
      return await extractWithTarFs(first, second);
    case 'tar-fs-pack':
      return await packWithTarFs(first, second);
    case 'node-tar-extract':
      return await extractWithNodeTar(first, second);
    default:
      throw new Error(`unknown operation ${operation}`);
  }
}

const [, , operation = '', ...args] = process.argv;
const measured = await run(operation, args);
process.stdout.write(`${JSON.stringify({ ...measured, maxRssMiB: peakMemoryMiB() })}\n`);
