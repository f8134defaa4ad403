import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Driver, LayerStore, layerSource } from '@x/layer-store';
import { bytesOf, inChunks, layerBytes, layerEntry } from '../../layer-bytes.js';

/** What a process that will be killed does. It says what has returned, a line each, and never ends by itself. */
export type HolderScript = (holder: Holder) => Promise<void>;

/** What a script has to work with. */
export interface Holder {
  /** Not open. */
  readonly driver: Driver;
  /** Of scripts that open a store. */
  readonly root: string;
  readonly say: (line: string) => void;
}

/** The layer below those that a script writes to. */
export const BASE = 'basis';
export const BASE_FILE = 'below';

/** Uses layers, writes to them, and keeps them. */
const mounts: HolderScript = async ({ driver, say }) => {
  await makeBase(driver);
  for (const id of ['one', 'two', 'three']) {
    await driver.createReadWrite(id, BASE);
    const root = await driver.get(id);
    await writeFile(path.join(root, 'written'), id);
    say(`${id} ${root}`);
  }
  await driver.get('three');
  say('holds');
};

/** Unpacks a layer that has no end. */
const unpacks: HolderScript = async ({ driver, say }) => {
  await makeBase(driver);
  await driver.create('half', BASE);
  const body = Buffer.alloc(1 << 20, 'x');
  async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let number = 0; ; number++) {
      const entry = await layerBytes(layerEntry.file(`file-${number}`, body));
      yield entry.subarray(0, entry.length - 1024);
      // Some of it is unpacked by then: only so much is read ahead.
      if (number === 12) {
        say('unpacks');
        await new Promise(() => undefined);
      }
    }
  }
  await driver.applyDiff('half', BASE, layerSource(endless()));
};

/** Makes, writes and removes layers without end. */
const churns: HolderScript = async ({ driver, say }) => {
  await makeBase(driver);
  for (let number = 0; ; number++) {
    const id = `layer-${number}`;
    await driver.create(id, BASE);
    say(`created ${id}`);
    await driver.withMount(id, (root) => writeFile(path.join(root, 'own'), id));
    say(`written ${id}`);
    if (number % 2 === 0) continue;
    say(`removing ${id}`);
    await driver.remove(id);
    say(`removed ${id}`);
  }
};

/** Has a store with a read-write layer mounted. */
const store: HolderScript = async ({ driver, root, say }) => {
  const opened = await LayerStore.open({ root, driver });
  const bytes = await layerBytes(layerEntry.file(BASE_FILE, BASE_FILE));
  const layer = await opened.register(inChunks(bytes));
  const rw = await opened.createRWLayer('held', layer.chainId);
  const mounted = await rw.mount();
  await writeFile(path.join(mounted, 'written'), 'held');
  await bytesOf(layer.tarStream());
  say(`held ${layer.chainId}`);
};

export type HolderScriptName = 'mounts' | 'unpacks' | 'churns' | 'store';

export const HOLDER_SCRIPTS: Readonly<Record<HolderScriptName, HolderScript>> = {
  mounts,
  unpacks,
  churns,
  store,
};

async function makeBase(driver: Driver): Promise<void> {
  await driver.open();
  await driver.create(BASE);
  await driver.withMount(BASE, (root) => writeFile(path.join(root, BASE_FILE), BASE_FILE));
}
