import path from 'node:path';
import { parseArgs } from 'node:util';
import { isLayerStoreError, parseKeyValue } from '@x/archive';
import type { MachineNeed, RandomOptions } from '../check.js';
import { UsageError } from './usage-error.js';

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | {
      readonly kind: 'check' | 'table' | 'bench';
      readonly module: string;
      readonly name: string | undefined;
      readonly workDirectory: string | undefined;
      readonly options: Readonly<Record<string, string>>;
      readonly grep: string;
      readonly skip: readonly string[];
      readonly require: readonly MachineNeed[];
      readonly random: RandomOptions;
      readonly json: boolean;
    };

const OPTIONS = {
  home: { type: 'string' },
  name: { type: 'string' },
  option: { type: 'string', multiple: true },
  grep: { type: 'string' },
  skip: { type: 'string', multiple: true },
  require: { type: 'string', multiple: true },
  runs: { type: 'string' },
  seed: { type: 'string' },
  path: { type: 'string' },
  without: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  table: { type: 'boolean' },
  list: { type: 'boolean' },
  bench: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const NEEDS: readonly MachineNeed[] = ['root', 'native', 'file-system'];

/** Parses everything behind the program's name. Throws {@link UsageError}. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const { values, positionals } = parse(argv);
  if (values.help === true) return { kind: 'help' };
  if (values.list === true) return { kind: 'list' };
  const [module, ...rest] = positionals;
  if (module === undefined)
    throw new UsageError('no driver given: name a module that exports a DriverFactory');
  if (rest.length > 0) throw new UsageError(`unexpected operand ${rest[0]}: give one driver at a time`);
  if (values.table === true && values.bench === true)
    throw new UsageError('--table and --bench exclude each other');
  return {
    kind: values.table === true ? 'table' : values.bench === true ? 'bench' : 'check',
    module,
    name: values.name,
    workDirectory: values.home === undefined ? undefined : path.resolve(values.home),
    options: Object.fromEntries((values.option ?? []).map(driverOption)),
    grep: values.grep ?? '',
    skip: values.skip ?? [],
    require: (values.require ?? []).map(machineNeed),
    random: {
      ...(values.runs === undefined ? {} : { runs: integer('runs', values.runs) }),
      ...(values.seed === undefined ? {} : { seed: integer('seed', values.seed) }),
      ...(values.path === undefined ? {} : { path: values.path }),
      ...(values.without === undefined ? {} : { without: values.without }),
    },
    json: values.json ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function driverOption(text: string): readonly [string, string] {
  try {
    const { key, value } = parseKeyValue(text);
    return [key, value];
  } catch (error) {
    if (isLayerStoreError(error)) throw new UsageError(`--option: ${error.message}`);
    throw error;
  }
}

function machineNeed(text: string): MachineNeed {
  const need = NEEDS.find((candidate) => candidate === text);
  if (need === undefined) throw new UsageError(`--require ${text}: known are ${NEEDS.join(', ')}`);
  return need;
}

function integer(option: string, text: string): number {
  if (/^-?\d{1,10}$/.test(text)) return Number(text);
  throw new UsageError(`--${option} ${text}: must be a whole number`);
}

function messageOf(error: unknown): string {
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'message' in error ? String(error.message) : String(error);
}
