import { parseArgs } from 'node:util';
import type { Command, Invocation } from './command.js';
import { UsageError } from './usage-error.js';

const OPTIONS = {
  root: { type: 'string' },
  driver: { type: 'string' },
  'driver-option': { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  parent: { type: 'string' },
  parents: { type: 'boolean' },
  keep: { type: 'string', multiple: true },
  output: { type: 'string', short: 'o' },
} as const;

type OptionName = keyof typeof OPTIONS;
const GLOBAL: readonly OptionName[] = ['root', 'driver', 'driver-option', 'json', 'help', 'version'];

interface Grammar {
  /** Names of the operands, for messages. */
  readonly operands: readonly string[];
  /** The last operand may be repeated. */
  readonly repeats?: boolean;
  readonly options?: readonly OptionName[];
}

const GRAMMAR: Readonly<Record<Exclude<Command['kind'], 'help' | 'version'>, Grammar>> = {
  register: { operands: ['TAR'], repeats: true, options: ['parent'] },
  export: { operands: ['CHAIN'], options: ['output'] },
  ls: { operands: [] },
  inspect: { operands: ['CHAIN'] },
  rm: { operands: ['CHAIN'], options: ['parents'] },
  prune: { operands: [], options: ['keep'] },
  status: { operands: [] },
  'rw-create': { operands: ['NAME'], options: ['parent'] },
  'rw-mount': { operands: ['NAME'] },
  'rw-unmount': { operands: ['NAME'] },
  'rw-changes': { operands: ['NAME'] },
  'rw-export': { operands: ['NAME'], options: ['output'] },
  'rw-commit': { operands: ['NAME'] },
  'rw-ls': { operands: [] },
  'rw-rm': { operands: ['NAME'] },
};

type CommandKind = keyof typeof GRAMMAR;

function isCommandKind(text: string): text is CommandKind {
  return Object.hasOwn(GRAMMAR, text);
}

function messageOf(error: unknown): string {
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'message' in error ? String(error.message) : String(error);
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** `KEY=VALUE`, keys without regard to case. Of a key that comes again the values are a JSON array, as drivers take lists. */
function parseDriverOptions(texts: readonly string[]): Readonly<Record<string, string>> {
  const options = new Map<string, string[]>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const key = text.slice(0, equals).trim().toLowerCase();
    if (equals === -1 || key === '') throw new UsageError(`--driver-option ${text} is not KEY=VALUE`);
    options.set(key, [...(options.get(key) ?? []), text.slice(equals + 1).trim()]);
  }
  return Object.fromEntries(
    [...options].map(([key, values]) => [key, values.length === 1 ? values.join() : JSON.stringify(values)]),
  );
}

/** Parses everything behind the program's name. Throws {@link UsageError}. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const { values, positionals } = parse(argv);
  const { root, driver, json = false } = values;
  const driverOptions = parseDriverOptions(values['driver-option'] ?? []);
  const invocation = (command: Command): Invocation => ({ command, root, driver, driverOptions, json });
  if (values.help === true) return invocation({ kind: 'help' });
  if (values.version === true) return invocation({ kind: 'version' });

  const [first, ...rest] = positionals;
  if (first === undefined) throw new UsageError('no command given');
  const words = first === 'rw' ? [`rw-${rest[0] ?? ''}`, ...rest.slice(1)] : [first, ...rest];
  const [kind = '', ...operands] = words;
  const spelt = kind.replace(/^rw-/, 'rw ').trim();
  if (!isCommandKind(kind)) throw new UsageError(`unknown command: ${spelt}`);

  const grammar = GRAMMAR[kind];
  const allowed = new Set<string>([...GLOBAL, ...(grammar.options ?? [])]);
  const stray = Object.keys(values).find((name) => !allowed.has(name));
  if (stray !== undefined) throw new UsageError(`${spelt} has no option --${stray}`);
  if (operands.length < grammar.operands.length) {
    throw new UsageError(`${spelt} needs ${grammar.operands.slice(operands.length).join(' ')}`);
  }
  if (operands.length > grammar.operands.length && grammar.repeats !== true) {
    throw new UsageError(`${spelt}: unexpected operand ${operands[grammar.operands.length] ?? ''}`);
  }
  const operand = operands[0] ?? '';
  switch (kind) {
    case 'register':
      if (operands.filter((file) => file === '-').length > 1) {
        throw new UsageError('register can read standard input only once');
      }
      return invocation({ kind, parent: values.parent, files: operands });
    case 'export':
      return invocation({ kind, chain: operand, file: values.output });
    case 'inspect':
      return invocation({ kind, chain: operand });
    case 'rm':
      return invocation({ kind, chain: operand, parents: values.parents ?? false });
    case 'prune':
      return invocation({ kind, keep: values.keep ?? [] });
    case 'ls':
    case 'status':
    case 'rw-ls':
      return invocation({ kind });
    case 'rw-create':
      return invocation({ kind, name: operand, parent: values.parent });
    case 'rw-export':
      return invocation({ kind, name: operand, file: values.output });
    case 'rw-mount':
    case 'rw-unmount':
    case 'rw-changes':
    case 'rw-commit':
    case 'rw-rm':
      return invocation({ kind, name: operand });
  }
}
