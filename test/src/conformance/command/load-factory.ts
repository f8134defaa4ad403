import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DriverFactory } from '@x/layer-store';
import { UsageError } from './usage-error.js';

/**
 * The factory that a module exports: the one called `name` when that is given, else an export named `driver`, else the default export,
 * else the only factory there is. Throws {@link UsageError}.
 */
export async function loadFactory(module: string, name?: string): Promise<DriverFactory> {
  const exported = await importModule(module);
  const factories = new Map(Object.entries(exported).filter(isFactoryEntry));
  if (name !== undefined) {
    const named = [...factories.values()].find((factory) => factory.name === name);
    if (named !== undefined) return named;
    throw new UsageError(`${module} exports no driver named ${name}; it has ${namesOf(factories)}`);
  }
  const marked = factories.get('driver') ?? factories.get('default');
  if (marked !== undefined) return marked;
  const [only, ...others] = new Set(factories.values());
  if (only === undefined) {
    throw new UsageError(
      `${module} exports no DriverFactory: an object with name, probe(home) and create({ home, options })`,
    );
  }
  if (others.length > 0)
    throw new UsageError(`${module} exports several drivers: pick one of ${namesOf(factories)} with --name`);
  return only;
}

async function importModule(module: string): Promise<Record<string, unknown>> {
  try {
    return (await import(specifierOf(module))) as Record<string, unknown>;
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

function isFactoryEntry(entry: [string, unknown]): entry is [string, DriverFactory] {
  const [, value] = entry;
  if (typeof value !== 'object' || value === null) return false;
  const { name, probe, create } = value as Partial<DriverFactory>;
  return typeof name === 'string' && typeof probe === 'function' && typeof create === 'function';
}

function namesOf(factories: ReadonlyMap<string, DriverFactory>): string {
  return [...new Set([...factories.values()].map(({ name }) => name))].join(', ') || 'none';
}
