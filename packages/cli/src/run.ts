import { readFileSync } from 'node:fs';
import { LayerStore } from '@x/layer-store';
import type { Command, Invocation } from './command.js';
import * as layers from './commands/layers.js';
import * as readWrite from './commands/read-write.js';
import { register } from './commands/register.js';
import { status } from './commands/status.js';
import type { ConsoleIo } from './console-io.js';
import { dataDirectory } from './data-directory.js';
import { DRIVERS } from './drivers.js';
import { parseCommandLine } from './parse-command-line.js';
import { Report } from './report.js';
import { showError } from './show-error.js';
import { USAGE } from './usage.js';

/** Runs one command line and gives the exit code: 0 done, 1 failed, 2 wrong usage. Never throws. */
export async function run(argv: readonly string[], io: ConsoleIo): Promise<0 | 1 | 2> {
  try {
    const invocation = parseCommandLine(argv);
    const { command } = invocation;
    if (command.kind === 'help') io.stdout.write(USAGE);
    else if (command.kind === 'version') io.stdout.write(`${version()}\n`);
    else await onStore(invocation, command, io);
    return 0;
  } catch (error) {
    return showError(error, argv.includes('--json'), io);
  }
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

type StoreCommand = Exclude<Command, { readonly kind: 'help' | 'version' }>;

async function onStore(invocation: Invocation, command: StoreCommand, io: ConsoleIo): Promise<void> {
  await using store = await LayerStore.open({
    root: invocation.root ?? dataDirectory(io.env, io.uid, io.home),
    driver: invocation.driver ?? 'auto',
    drivers: DRIVERS,
    driverOptions: invocation.driverOptions,
    mountsAtClose: 'keep',
  });
  await execute(store, command, new Report(io, invocation.json), io, invocation.json);
}

function execute(
  store: LayerStore,
  command: StoreCommand,
  report: Report,
  io: ConsoleIo,
  quiet: boolean,
): Promise<void> {
  switch (command.kind) {
    case 'register':
      return register(store, command, report, io, quiet);
    case 'export':
      return layers.exportLayer(store, command.chain, command.file, report, io);
    case 'ls':
      return layers.listLayers(store, report);
    case 'inspect':
      return layers.inspectLayer(store, command.chain, report);
    case 'rm':
      return layers.removeLayer(store, command.chain, command.parents, report);
    case 'prune':
      return layers.pruneLayers(store, command.keep, report);
    case 'status':
      return status(store, report);
    case 'rw-create':
      return readWrite.createReadWrite(store, command.name, command.parent, report, io);
    case 'rw-mount':
      return readWrite.mountReadWrite(store, command.name, report);
    case 'rw-unmount':
      return readWrite.unmountReadWrite(store, command.name, report);
    case 'rw-changes':
      return readWrite.changesOfReadWrite(store, command.name, report, io);
    case 'rw-export':
      return readWrite.exportReadWrite(store, command.name, command.file, report, io);
    case 'rw-commit':
      return readWrite.commitReadWrite(store, command.name, report, io);
    case 'rw-ls':
      return readWrite.listReadWrite(store, report);
    case 'rw-rm':
      return readWrite.removeReadWrite(store, command.name, report);
  }
}
