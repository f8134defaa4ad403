import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import type { StoreLogger } from '../events.js';
import type { ProbeResult } from './contract.js';
import type { DriverFactory, DriverRegistry } from './registry.js';

/** Order in which drivers are tried when none is named (spec/drivers.md 1.5). */
export const DRIVER_PRIORITY: readonly string[] = Object.freeze([
  'overlay2',
  'fuse-overlayfs',
  'aufs',
  'overlay',
  'devicemapper',
  'vfs',
]);

/** Works everywhere: beside the state of another driver, its own says nothing about what the user chose. */
const FALLBACK = 'vfs';

/** What is known about a driver before one is chosen. */
export interface DriverCandidate {
  readonly name: string;
  readonly deprecated: boolean;
  /** `<root>/<name>` is there and not empty, or cannot be read. */
  readonly hasState: boolean;
}

/** What the choice comes to. */
export type Selection =
  /** Earlier state: this driver and no other, its failure is the answer. */
  | { readonly kind: 'prior'; readonly name: string }
  /** Several drivers have state. */
  | { readonly kind: 'ambiguous'; readonly names: readonly string[] }
  /** The first of these that is supported. */
  | { readonly kind: 'probe'; readonly names: readonly string[] };

/**
 * Decides from what is found, without looking: state of an earlier driver binds, since with another one its layers would
 * be out of sight; else the priority list, then every other registered driver that is not deprecated.
 */
export function planSelection(
  candidates: readonly DriverCandidate[],
  priority: readonly string[],
): Selection {
  const registered = new Map(candidates.map((candidate) => [candidate.name, candidate]));
  const prior = candidates
    .filter(({ name, hasState }) => hasState && name !== FALLBACK)
    .map(({ name }) => name);
  const [only] = prior;
  if (prior.length > 1) return { kind: 'ambiguous', names: prior };
  if (only !== undefined) return { kind: 'prior', name: only };
  // Docker goes on to a better driver here, and the layers that vfs keeps are out of sight.
  if (registered.get(FALLBACK)?.hasState === true) return { kind: 'prior', name: FALLBACK };
  const listed = priority.filter((name) => registered.has(name));
  const rest = candidates.filter(({ name, deprecated }) => !deprecated && !listed.includes(name));
  return { kind: 'probe', names: [...listed, ...rest.map(({ name }) => name)] };
}

/** Options of {@link selectDriver}. */
export interface SelectionOptions {
  readonly priority?: readonly string[];
  readonly logger: StoreLogger;
}

/**
 * Chooses the driver for a root. DRIVER_AMBIGUOUS when several have state there; a refusal of the one with state is
 * passed on with its own code; DRIVER_NOT_SUPPORTED when none can run.
 */
export async function selectDriver(
  registry: DriverRegistry,
  root: string,
  { priority = DRIVER_PRIORITY, logger }: SelectionOptions,
): Promise<DriverFactory> {
  const candidates = await Promise.all(
    registry.all().map(async ({ name, deprecated = false }) => ({
      name,
      deprecated,
      hasState: await hasState(path.join(root, name)),
    })),
  );
  const selection = planSelection(candidates, priority);
  if (selection.kind === 'ambiguous') {
    const names = selection.names.join(', ');
    throw new LayerStoreError(
      'DRIVER_AMBIGUOUS',
      `${root} has state of several drivers (${names}): name the one to use`,
      { path: root, actual: names },
    );
  }
  if (selection.kind === 'prior') return requireSupported(registry.require(selection.name), root, logger);
  const refusals: string[] = [];
  for (const name of selection.names) {
    const factory = registry.require(name);
    const result = await factory.probe(path.join(root, name));
    if (result.supported) return chosen(factory, result, logger);
    // Only "cannot run here" lets the search go on; a driver that failed must not be passed over in silence.
    if (result.code === 'DRIVER_FAILED') throw refusal(factory, result);
    refusals.push(`${name}: ${result.reason}`);
  }
  throw new LayerStoreError(
    'DRIVER_NOT_SUPPORTED',
    `no supported storage driver for ${root}: ${refusals.join('; ') || 'none is registered'}`,
    { path: root },
  );
}

/** Probes a driver that was named; throws the code and reason it gives. */
export async function requireSupported(
  factory: DriverFactory,
  root: string,
  logger: StoreLogger,
): Promise<DriverFactory> {
  const result = await factory.probe(path.join(root, factory.name));
  if (!result.supported) throw refusal(factory, result);
  return chosen(factory, result, logger);
}

function chosen(
  factory: DriverFactory,
  result: Extract<ProbeResult, { supported: true }>,
  logger: StoreLogger,
): DriverFactory {
  for (const warning of result.warnings) logger.warn({ driver: factory.name }, warning);
  if (factory.deprecated === true) logger.warn({ driver: factory.name }, 'this driver is deprecated');
  return factory;
}

function refusal(
  { name }: DriverFactory,
  { code, reason, remedy }: Extract<ProbeResult, { supported: false }>,
): LayerStoreError {
  return new LayerStoreError(code, `the ${name} driver cannot run here: ${reason}: ${remedy}`, {
    driver: name,
  });
}

async function hasState(home: string): Promise<boolean> {
  try {
    return (await readdir(home)).length > 0;
  } catch (error) {
    const errno = errnoOf(error);
    return errno !== 'ENOENT' && errno !== 'ENOTDIR';
  }
}
