import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DriverModule, Workbench } from '../../check.js';
import { fail } from '../../expectation.js';
import type { HolderScriptName } from './holder-scripts.js';

/** What a holder process is told to do. */
export interface HolderOrder {
  readonly module: DriverModule;
  readonly options: Readonly<Record<string, string>>;
  readonly script: HolderScriptName;
  /** The driver's. */
  readonly home: string;
  /** Of a store. */
  readonly root: string;
}

const PROCESS = fileURLToPath(new URL('holder-process.js', import.meta.url));

/**
 * Runs a script in a process of its own on the bench's home, which nobody else may have open, and kills the process with SIGKILL when
 * it has said what `until` waits for. Gives the lines it has said.
 */
export async function killedHolder(
  bench: Workbench,
  script: HolderScriptName,
  until: (lines: readonly string[]) => boolean,
  place: { readonly home: string; readonly root: string } = { home: bench.home, root: '' },
): Promise<readonly string[]> {
  const { module, options } = bench.facts;
  if (module === undefined) return fail('the check applies only where the module of the driver is known');
  const order: HolderOrder = { module, options, script, ...place };
  const child = spawn(process.execPath, ['--no-warnings', PROCESS, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: bench.signal,
    killSignal: 'SIGKILL',
  });
  const ended = once(child, 'close').catch((error: unknown) => error);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('latin1');
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (until(lines)) child.kill('SIGKILL');
  }
  await ended;
  if (child.signalCode !== 'SIGKILL')
    fail(`the process ended by itself, after ${lines.join(', ')}: ${errors}`);
  return lines;
}
