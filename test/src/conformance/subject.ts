import { readFileSync } from 'node:fs';
import os from 'node:os';
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownKeys,
  assertOneOf,
  assertPath,
  assertString,
  invalidOption,
} from '@x/archive';
import type { Driver, DriverFactory } from '@x/layer-store';
import { loadNative } from '@x/native';
import type { DriverModule, MachineNeed, RandomOptions, SubjectFacts } from './check.js';
import { EDIT_KINDS } from './edits/edit-wish.js';
import { ASPECTS } from './families/random-tree/random-settings.js';

/** What is held to the contract, and how. */
export interface ConformanceSubject {
  readonly factory: DriverFactory;
  /** The driver's own options, as text. */
  readonly options?: Readonly<Record<string, string>>;
  /** Absolute; fresh homes are made below it. Default `os.tmpdir()`. */
  readonly workDirectory?: string;
  /** Only checks with this text in `family: name`, in any case. */
  readonly grep?: string;
  /** Families left out: name → the reason, which is printed and counted. */
  readonly skip?: Readonly<Record<string, string>>;
  /** What this machine must have: where a check needs it in vain, the run fails. Default nothing. */
  readonly require?: readonly MachineNeed[];
  /** From where another process can load the factory; the command knows. */
  readonly module?: DriverModule;
  readonly random?: RandomOptions;
}

/** A {@link ConformanceSubject}, checked. */
export interface CheckedSubject {
  readonly factory: DriverFactory;
  readonly options: Readonly<Record<string, string>>;
  readonly workDirectory: string;
  readonly grep: string;
  readonly skip: Readonly<Record<string, string>>;
  readonly require: readonly MachineNeed[];
  readonly module: DriverModule | undefined;
  readonly random: RandomOptions;
}

const WHERE = 'conformance';
const KEYS: readonly (keyof ConformanceSubject)[] = [
  'factory',
  'options',
  'workDirectory',
  'grep',
  'skip',
  'require',
  'module',
  'random',
];
const MACHINE_NEEDS: readonly MachineNeed[] = ['root', 'native', 'file-system'];

/** Throws OPTION_UNKNOWN, OPTION_INVALID. */
export function checkSubject(subject: ConformanceSubject): CheckedSubject {
  assertKnownKeys(WHERE, subject, KEYS);
  const { factory, options = {}, workDirectory = os.tmpdir(), grep = '', skip = {}, require = [] } = subject;
  const { module, random = {} } = subject;
  if (typeof factory !== 'object' || factory === null)
    invalidOption(WHERE, 'factory', 'a DriverFactory', factory);
  assertString(WHERE, 'factory.name', factory.name);
  for (const method of ['probe', 'create'] as const)
    assertFunction(WHERE, `factory.${method}`, factory[method] as unknown);
  assertPath(WHERE, 'workDirectory', workDirectory);
  if (grep !== '') assertString(WHERE, 'grep', grep);
  for (const need of require) assertOneOf(WHERE, 'require', need, MACHINE_NEEDS);
  assertKnownKeys(`${WHERE}: random`, random, ['runs', 'seed', 'path', 'without', 'asUser']);
  for (const kind of random.without ?? [])
    assertOneOf(WHERE, 'random.without', kind, [...EDIT_KINDS, ...ASPECTS]);
  if (random.asUser !== undefined) assertBoolean(WHERE, 'random.asUser', random.asUser);
  for (const name of ['runs', 'seed'] as const) {
    const value = random[name];
    if (value !== undefined) assertInteger(WHERE, `random.${name}`, value, -(2 ** 31), 2 ** 31 - 1);
  }
  return { factory, options, workDirectory, grep, skip, require, module, random };
}

/** A new instance, not open. */
export function createDriver(subject: CheckedSubject, home: string): Driver {
  const { factory, options } = subject;
  return factory.create({ home, options });
}

/** What can be known before the first check. The driver is not opened. */
export function factsOf(subject: CheckedSubject, driver: Driver): SubjectFacts {
  return {
    driverName: subject.factory.name,
    capabilities: driver.capabilities,
    root: isRoot(),
    native: loadNative().available,
    options: subject.options,
    module: subject.module,
  };
}

/** uid 0, and not of a user namespace that has only some ids. */
function isRoot(): boolean {
  if (process.getuid?.() !== 0) return false;
  const [inside, outside, size] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  return inside === '0' && outside === '0' && Number(size) >= 2 ** 32 - 1;
}
