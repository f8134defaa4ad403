import { assertKnownKeys, invalidOption, parseBoolean } from '@x/archive';
import type { DriverFactory, DriverInit } from '@x/layer-store';
import { VfsDriver } from './vfs-driver.js';

/** Docker's spelling of an option has the driver's name in front. */
const PREFIX = 'vfs.';
const WHERE = 'vfs driver options';

/** vfs by name, with options as text (`size`, `rootless`, also as `vfs.size`…): give it to `LayerStore.open` in `drivers`. */
export const vfsDriver: DriverFactory = {
  name: 'vfs',
  probe: (home) => VfsDriver.probe(home),
  create: ({ home, idMap, options = {} }: DriverInit): VfsDriver => {
    const entries = Object.entries(options).map(([key, value]): [string, string] => [
      key.replace(PREFIX, ''),
      value,
    ]);
    const { size, rootless, ...unknown } = Object.fromEntries(entries);
    assertKnownKeys(WHERE, unknown, []);
    return new VfsDriver({
      home,
      ...(idMap === undefined ? {} : { idMap }),
      ...(size === undefined ? {} : { size }),
      ...(rootless === undefined ? {} : { rootless: flag('rootless', rootless) }),
    });
  },
};

function flag(option: string, text: string): boolean {
  return parseBoolean(text) ?? invalidOption(WHERE, option, 'true or false', text);
}
