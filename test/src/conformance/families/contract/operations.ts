import type { Driver } from '@x/layer-store';
import { layerEntry, layerOf } from '../../layer-bytes.js';

/** A method of the contract, as a check calls it. */
export interface Operation {
  readonly name: string;
  /** Whether the id must be one the driver has. */
  readonly id: 'none' | 'new' | 'known' | 'any';
  /** Runs to the end: streams are read, what is acquired is given up. */
  run(
    driver: Driver,
    id: string,
    options?: { readonly parent?: string; readonly signal?: AbortSignal },
  ): Promise<unknown>;
  readonly takesParent?: boolean;
  readonly takesSignal?: boolean;
  /** Gives something up, so it goes on while the driver closes. */
  readonly givesUp?: boolean;
}

/** Every method but `open` and `close`. */
export const OPERATIONS: readonly Operation[] = [
  {
    name: 'create',
    id: 'new',
    takesParent: true,
    takesSignal: true,
    run: (driver, id, { parent, signal } = {}) => driver.create(id, parent, {}, signal),
  },
  {
    name: 'createReadWrite',
    id: 'new',
    takesParent: true,
    takesSignal: true,
    run: (driver, id, { parent, signal } = {}) => driver.createReadWrite(id, parent, {}, signal),
  },
  { name: 'remove', id: 'any', run: (driver, id) => driver.remove(id) },
  {
    name: 'get',
    id: 'known',
    takesSignal: true,
    run: async (driver, id, { signal } = {}) => {
      const path = await driver.get(id, withSignal(signal));
      await driver.put(id);
      return path;
    },
  },
  { name: 'put', id: 'any', givesUp: true, run: (driver, id) => driver.put(id) },
  { name: 'withMount', id: 'known', run: (driver, id) => driver.withMount(id, async (path) => path) },
  { name: 'exists', id: 'any', run: (driver, id) => driver.exists(id) },
  { name: 'list', id: 'none', run: (driver) => driver.list() },
  { name: 'status', id: 'none', run: (driver) => driver.status() },
  { name: 'metadata', id: 'known', run: (driver, id) => driver.metadata(id) },
  {
    name: 'diff',
    id: 'known',
    takesParent: true,
    takesSignal: true,
    run: async (driver, id, { parent, signal } = {}) => {
      let bytes = 0;
      for await (const chunk of driver.diff(id, parent, withSignal(signal))) bytes += chunk.length;
      return bytes;
    },
  },
  {
    name: 'changes',
    id: 'known',
    takesParent: true,
    takesSignal: true,
    run: (driver, id, { parent, signal } = {}) => driver.changes(id, parent, withSignal(signal)),
  },
  {
    name: 'diffSize',
    id: 'known',
    takesParent: true,
    takesSignal: true,
    run: (driver, id, { parent, signal } = {}) => driver.diffSize(id, parent, withSignal(signal)),
  },
  {
    name: 'applyDiff',
    id: 'known',
    takesParent: true,
    takesSignal: true,
    run: async (driver, id, { parent, signal } = {}) =>
      driver.applyDiff(id, parent, await layerOf(layerEntry.file('applied', 'x')), withSignal(signal)),
  },
  {
    name: 'fileSource',
    id: 'known',
    run: async (driver, id) => {
      const source = await driver.fileSource(id);
      await source.close();
    },
  },
  { name: 'usage', id: 'known', run: (driver, id) => driver.usage(id) },
  { name: 'sync', id: 'none', run: (driver) => driver.sync() },
  { name: 'cleanup', id: 'none', run: (driver) => driver.cleanup() },
];

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
