import type { DriverFactory, DriverInit } from '@x/layer-store';
import { DevmapperDriver } from './devmapper-driver.js';
import { parseDevmapperOptions } from './options/parse-options.js';

/**
 * devicemapper by name, with options as text (`dm.fs`, `dm.basesize`…, as for Docker): give it to `LayerStore.open` in `drivers`.
 * Deprecated as in Docker: it is chosen by name, or where a home of it is.
 */
export const devicemapperDriver: DriverFactory = {
  name: 'devicemapper',
  deprecated: true,
  probe: (home) => DevmapperDriver.probe(home),
  create: ({ home, idMap, options = {} }: DriverInit): DevmapperDriver =>
    new DevmapperDriver({
      home,
      ...(idMap === undefined ? {} : { idMap }),
      ...parseDevmapperOptions(Object.entries(options)),
    }),
};
