import type { LayerStore } from '@x/layer-store';
import type { Report } from '../report.js';

/** `status`: the driver's own items in its order, then what the store holds and what is wrong with it. */
export async function status(store: LayerStore, report: Report): Promise<void> {
  const driverStatus = await store.driverStatus();
  const problems = await store.diagnose();
  const layers = [...store.map().values()];
  const record = {
    driver: store.driverName,
    driverStatus: driverStatus.map(([key, value]) => [key, value]),
    layers: layers.length,
    size: layers.reduce((total, layer) => total + layer.diffSize(), 0),
    readWriteLayers: store.mounts().length,
    problems: problems.map((problem) => JSON.parse(JSON.stringify(problem))),
  };
  const lines = [
    `driver              ${record.driver}`,
    ...driverStatus.map(([key, value]) => `  ${key}: ${value}`),
    `layers              ${record.layers}`,
    `read-write layers   ${record.readWriteLayers}`,
    `problems            ${problems.length === 0 ? 'none' : ''}`,
    ...problems.map((problem) => `  ${JSON.stringify(problem)}`),
  ];
  await report.record(record, lines.join('\n'));
}
