import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DriverFactory } from '@x/layer-store';
import type { DriverModule } from '../check.js';
import { UsageError } from './usage-error.js';

/** A factory, and where it is from. */
export interface LoadedFactory {
  readonly factory: DriverFactory;
  readonly module: DriverModule;
}

/**
 * The factory that a module exports: the one called `name` when that is given, else an export named `driver`, else the default export,
 * else the only factory there is. Throws {@link UsageError}.
 */
export async function loadFactory(module: string, name?: string): Promise<LoadedFactory> {
  const url = specifierOf(module);
  const factories = Object.entries(await importModule(module, url)).filter(isFactoryEntry);
  const [exportName, factory] = pick(module, factories, name);
  return { factory, module: { url, export: exportName } };
}

type FactoryEntry = [exportName: string, factory: DriverFactory];

function pick(module: string, factories: readonly FactoryEntry[], name: string | undefined): FactoryEntry {
  if (name !== undefined) {
    const named = factories.find(([, factory]) => factory.name === name);
    if (named !== undefined) return named;
    throw new UsageError(`${module} exports no driver named ${name}; it has ${namesOf(factories)}`);
  }
  const [only] = factories;
  if (only === undefined) {
    throw new UsageError(
      `${module} exports no DriverFactory: an object with name, probe(home) and create({ home, options })`,
    );
  }
  const marked = ['driver', 'default'].map((key) => factories.find(([exportName]) => exportName === key));
  const chosen = marked.find((entry) => entry !== undefined);
  if (chosen !== undefined) return chosen;
  if (new Set(factories.map(([, factory]) => factory)).size === 1) return only;
  throw new UsageError(`${module} exports several drivers: pick one of ${namesOf(factories)} with --name`);
}

async function importModule(module: string, url: string): Promise<Record<string, unknown>> {
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    const isObject = typeof error === 'object' && error !== null;
    const reason = isObject && 'message' in error ? String(error.message) : String(error);
    throw new UsageError(`${module} cannot be loaded: ${reason}`);
  }
}

/** Paths are those of the caller; packages too, where his directory has them, else those beside this command. */
function specifierOf(module: string): string {
  const base = path.join(process.cwd(), 'driver.js');
  if (module.startsWith('.') || path.isAbsolute(module)) return pathToFileURL(path.resolve(module)).href;
  try {
    return pathToFileURL(createRequire(base).resolve(module)).href;
  } catch {
    return module;
  }
}

function isFactoryEntry(entry: [string, unknown]): entry is FactoryEntry {
  const [, value] = entry;
  if (typeof value !== 'object' || value === null) return false;
  const { name, probe, create } = value as Partial<DriverFactory>;
  return typeof name === 'string' && typeof probe === 'function' && typeof create === 'function';
}

function namesOf(factories: readonly FactoryEntry[]): string {
  return [...new Set(factories.map(([, { name }]) => name))].join(', ') || 'none';
}
