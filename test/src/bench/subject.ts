/**
 * What is measured, one operation in a process of its own: `node subject.js OPERATION ARGUMENT…`. Prints one JSON object with
 * the seconds of the operation alone (Docker's command does the same) and the peak resident set.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fileSource } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import { LayerStore } from '@x/layer-store';
import * as tar from 'tar';
import tarFs from 'tar-fs';
import { emptyTarWith } from './tiny-layer.js';

const CHUNK = 1 << 20;

interface Measured {
  readonly seconds: number;
  readonly chainId?: string;
  readonly layers?: number;
}

async function timed(work: () => Promise<Omit<Measured, 'seconds'>>): Promise<Measured> {
  const started = process.hrtime.bigint();
  const result = await work();
  return { seconds: Number(process.hrtime.bigint() - started) / 1e9, ...result };
}

function openStore(root: string): Promise<LayerStore> {
  return LayerStore.open({ root, driver: new VfsDriver({ home: `${root}/vfs` }) });
}

async function register(root: string, file: string): Promise<Measured> {
  await using store = await openStore(root);
  return await timed(async () => {
    const layer = await store.register(fileSource(file));
    return { chainId: layer.chainId };
  });
}

async function exportLayer(root: string, chainId: string): Promise<Measured> {
  await using store = await openStore(root);
  const layer = await store.get(chainId);
  const measured = await timed(async () => {
    let bytes = 0;
    const stream = layer.tarStream();
    for await (const chunk of stream) {
      bytes += chunk.length;
      stream.recycle(chunk);
    }
    return bytes > 0 ? {} : Promise.reject(new Error('nothing was exported'));
  });
  return measured;
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

async function extractWithTarFs(target: string, file: string): Promise<Measured> {
  return await timed(async () => {
    await pipeline(createReadStream(file, { highWaterMark: CHUNK }), tarFs.extract(target));
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
      return await register(first, second);
    case 'export':
      return await exportLayer(first, second);
    case 'fill':
      return await fill(first, Number(second));
    case 'reopen':
      return await reopen(first);
    case 'rw':
      return await readWrite(first, second, Number(third));
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
process.stdout.write(
  `${JSON.stringify({ ...measured, maxRssMiB: Math.round(process.resourceUsage().maxRSS / 1024) })}\n`,
);
