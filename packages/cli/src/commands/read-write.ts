import { CHANGE_LETTER, displayPath, formatChange } from '@x/archive';
import { type LayerStore, parseChainId } from '@x/layer-store';
import type { ConsoleIo } from '../console-io.js';
import { layerLine } from '../layer-line.js';
import type { Report } from '../report.js';
import { writeOutput } from './write-output.js';

/** `rw create NAME [--parent CHAIN]` */
export async function createReadWrite(
  store: LayerStore,
  name: string,
  parent: string | undefined,
  report: Report,
  io: ConsoleIo,
): Promise<void> {
  const parentId = parent === undefined ? undefined : parseChainId(parent);
  await store.createRWLayer(name, parentId, { signal: io.signal });
  await report.record({ name, mountId: store.getMountId(name), parent: parentId ?? null }, name);
}

/** `rw mount NAME`: the mount outlives this process; `rw unmount` ends it. */
export async function mountReadWrite(store: LayerStore, name: string, report: Report): Promise<void> {
  const rw = await store.getRWLayer(name);
  const path = await rw.mount();
  await report.record({ name, path }, path);
}

/** `rw unmount NAME` */
export async function unmountReadWrite(store: LayerStore, name: string, report: Report): Promise<void> {
  const rw = await store.getRWLayer(name);
  // Without mounts the path is always there: nothing to end.
  if (store.driverCapabilities.mounts) await rw.unmount();
  await report.record({ name }, '');
}

/** `rw changes NAME` */
export async function changesOfReadWrite(
  store: LayerStore,
  name: string,
  report: Report,
  io: ConsoleIo,
): Promise<void> {
  const rw = await store.getRWLayer(name);
  for (const change of await rw.changes({ signal: io.signal })) {
    await report.record(
      { kind: CHANGE_LETTER[change.kind], path: displayPath(change.path) },
      formatChange(change),
    );
  }
}

/** `rw export NAME [-o FILE]` */
export async function exportReadWrite(
  store: LayerStore,
  name: string,
  file: string | undefined,
  report: Report,
  io: ConsoleIo,
): Promise<void> {
  const rw = await store.getRWLayer(name);
  await using stream = rw.tarStream({ signal: io.signal });
  await writeOutput(stream, file, { name }, report, io);
}

/** `rw commit NAME`: the changes become a layer on the parent; the read-write layer stays. */
export async function commitReadWrite(
  store: LayerStore,
  name: string,
  report: Report,
  io: ConsoleIo,
): Promise<void> {
  const started = process.hrtime.bigint();
  const rw = await store.getRWLayer(name);
  const layer = await store.commit(rw, { signal: io.signal });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  await report.record(
    {
      chainId: layer.chainId,
      diffId: layer.diffId,
      parent: layer.parent?.chainId ?? null,
      size: layer.diffSize(),
      seconds,
    },
    `${layerLine(layer)}  ${seconds.toFixed(2)} s  ${name}`,
  );
}

/** `rw ls` */
export async function listReadWrite(store: LayerStore, report: Report): Promise<void> {
  for (const { name, mountId, parent } of store.mounts()) {
    await report.record({ name, mountId, parent: parent ?? null }, `${name}  ${parent ?? 'no parent'}`);
  }
}

/** `rw rm NAME` */
export async function removeReadWrite(store: LayerStore, name: string, report: Report): Promise<void> {
  const rw = await store.getRWLayer(name);
  // a handle on the parent, given up only by closing the store: removing a container does not remove its image
  if (rw.parent !== undefined) await store.get(rw.parent.chainId);
  await store.releaseRWLayer(rw);
  await report.record({ name }, '');
}
