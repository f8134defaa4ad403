import { open } from 'node:fs/promises';
import { fileSource } from '@x/archive';
import type { ChainId, Layer, LayerStore } from '@x/layer-store';
import { parseChainId } from '@x/layer-store';
import type { ConsoleIo } from '../console-io.js';
import { layerLine } from '../layer-line.js';
import { ProgressLine } from '../progress-line.js';
import type { Report } from '../report.js';

/** The command takes what `docker load` takes: xz and bzip2 need their programs. */
const DECOMPRESS = { helpers: 'on' } as const;

export interface RegisterRequest {
  readonly parent: string | undefined;
  readonly files: readonly string[];
}

/** Registers the archives one on the other and prints each as soon as it is durable. */
export async function register(
  store: LayerStore,
  request: RegisterRequest,
  report: Report,
  io: ConsoleIo,
  quiet: boolean,
): Promise<void> {
  let parent = request.parent === undefined ? undefined : parseChainId(request.parent);
  for (const file of request.files) {
    const started = process.hrtime.bigint();
    const layer = await registerFile(store, file, parent, io, quiet);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    await report.record(
      {
        chainId: layer.chainId,
        diffId: layer.diffId,
        parent: parent ?? null,
        size: layer.diffSize(),
        seconds,
      },
      `${layerLine(layer)}  ${seconds.toFixed(2)} s  ${file}`,
    );
    parent = layer.chainId;
  }
}

async function registerFile(
  store: LayerStore,
  file: string,
  parent: ChainId | undefined,
  io: ConsoleIo,
  quiet: boolean,
): Promise<Layer> {
  if (file === '-') {
    using progress = new ProgressLine(io, 'stdin', undefined, quiet);
    return await store.register(io.stdin, parent, {
      decompress: DECOMPRESS,
      signal: io.signal,
      onProgress: ({ bytes }) => progress.update(bytes),
    });
  }
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  using progress = new ProgressLine(io, file, size, quiet);
  const source = fileSource(handle, { signal: io.signal });
  return await store.register(source, parent, {
    decompress: DECOMPRESS,
    signal: io.signal,
    onProgress: () => progress.update(source.bytesRead),
  });
}
