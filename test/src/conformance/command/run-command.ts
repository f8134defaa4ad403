import { isLayerStoreError } from '@x/archive';
import { runBenchmarks } from '../benchmarks/run-benchmarks.js';
import { CHECKS } from '../checks.js';
import { TABLE_HEAD, tableRow } from '../report/capability-table.js';
import { resultText, summaryText } from '../report/human-report.js';
import { resultLine, summaryLine } from '../report/json-report.js';
import { runConformance } from '../runner/run-conformance.js';
import type { ConformanceSubject } from '../subject.js';
import { loadFactory } from './load-factory.js';
import { type Invocation, parseCommandLine } from './parse-command-line.js';
import { USAGE } from './usage.js';
import { UsageError } from './usage-error.js';

/** Where the command writes. */
export interface CommandIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly signal?: AbortSignal;
}

/** Runs one command line and gives the exit code: 0 the driver conforms, 1 it does not, 2 wrong usage. */
export async function runCommand(argv: readonly string[], io: CommandIo): Promise<0 | 1 | 2> {
  try {
    const invocation = parseCommandLine(argv);
    if (invocation.kind === 'help') io.stdout.write(USAGE);
    else if (invocation.kind === 'list') {
      for (const { family, name } of CHECKS) io.stdout.write(`${family}: ${name}\n`);
    } else return await onDriver(invocation, io);
    return 0;
  } catch (error) {
    const { usage, message } = describe(error);
    io.stderr.write(
      usage ? `layer-store-conformance: ${message}\n(--help shows the usage)\n` : `${message}\n`,
    );
    return usage ? 2 : 1;
  }
}

type DriverInvocation = Extract<Invocation, { readonly module: string }>;

async function onDriver(invocation: DriverInvocation, io: CommandIo): Promise<0 | 1> {
  const { factory, module } = await loadFactory(invocation.module, invocation.name);
  const { workDirectory, options, grep, require, random, json } = invocation;
  const skip = Object.fromEntries(invocation.skip.map((family) => [family, 'left out by --skip']));
  const subject: ConformanceSubject = {
    factory,
    options,
    grep,
    skip,
    require,
    module,
    random,
    ...(workDirectory === undefined ? {} : { workDirectory }),
  };
  const stop = io.signal === undefined ? {} : { signal: io.signal };
  if (invocation.kind === 'bench')
    return runBenchmarks(subject, { ...stop, json, write: (text) => io.stdout.write(text) });
  if (invocation.kind === 'table') {
    const report = await runConformance(subject, stop);
    io.stdout.write(`${TABLE_HEAD}${tableRow(report)}`);
    return report.ok ? 0 : 1;
  }
  const report = await runConformance(subject, {
    ...stop,
    onResult: (result) => io.stdout.write(json ? resultLine(result) : resultText(result)),
  });
  io.stdout.write(json ? summaryLine(report) : summaryText(report));
  return report.ok ? 0 : 1;
}

function describe(error: unknown): { readonly usage: boolean; readonly message: string } {
  if (error instanceof UsageError) return { usage: true, message: error.message };
  if (isLayerStoreError(error))
    return { usage: error.code.startsWith('OPTION_'), message: `${error.code}: ${error.message}` };
  const isObject = typeof error === 'object' && error !== null;
  return { usage: false, message: isObject && 'stack' in error ? String(error.stack) : String(error) };
}
