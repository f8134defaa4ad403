/**
 * `node memory-subject.js big MEBIBYTES | wide ENTRIES DIRECTORY`: registers and exports a synthetic layer in a process of its own and
 * prints the peak resident set in MiB.
 */
import { VfsDriver } from '@x/driver-vfs';
import { LayerStore } from '@x/layer-store';
import { bigLayer, wideLayer } from '../corpus/synthetic.js';
import { peakMemoryMiB } from '../program/peak-memory.js';

const [, , shape, amount, directory = ''] = process.argv;
const source = shape === 'big' ? bigLayer(Number(amount)) : wideLayer(Number(amount));
{
  await using store = await LayerStore.open({
    root: `${directory}/store`,
    driver: new VfsDriver({ home: `${directory}/vfs` }),
  });
  const layer = await store.register(source, undefined, { decompress: false });
  let bytes = 0;
  for await (const chunk of layer.tarStream()) bytes += chunk.length;
  if (bytes === 0) throw new Error('nothing came back');
}
process.stdout.write(`${peakMemoryMiB()}\n`);
