import type { Check } from '../check.js';
import { failureText } from '../report/failure-text.js';
import { runConformance } from '../runner/run-conformance.js';
import type { ConformanceSubject } from '../subject.js';
import { measure, type Timing } from './benchmark.js';
import { BENCHMARKS } from './graphtest-benchmarks.js';

/** Making ten thousand files in a layer, and what is measured on them, may take this long. Milliseconds. */
const TIMEOUT = 600_000;

/** How {@link runBenchmarks} reports. */
export interface BenchmarkOptions {
  readonly json: boolean;
  readonly signal?: AbortSignal;
  readonly write: (text: string) => unknown;
}

/** Measures a driver, each benchmark on a fresh home, and prints medians. Gives 1 when one could not be done. */
export async function runBenchmarks(subject: ConformanceSubject, options: BenchmarkOptions): Promise<0 | 1> {
  const { json, signal, write } = options;
  const timings = new Map<string, Timing>();
  const checks = BENCHMARKS.map(
    (benchmark): Check => ({
      family: 'benchmark',
      name: benchmark.name,
      timeout: TIMEOUT,
      run: async (bench) => {
        timings.set(benchmark.name, await measure(benchmark, bench));
      },
    }),
  );
  const report = await runConformance(subject, {
    checks,
    ...(signal === undefined ? {} : { signal }),
    onResult: ({ name, ...result }) => {
      const timing = timings.get(name);
      if (result.outcome === 'fail') write(json ? '' : `FAIL ${name}\n${failureText(result.failure)}\n`);
      else if (timing !== undefined && !json) write(line(name, timing));
      if (json)
        write(
          `${JSON.stringify({ type: 'benchmark', driver: subject.factory.name, name, outcome: result.outcome, ...timing })}\n`,
        );
    },
  });
  if (report.unsupported !== undefined)
    write(`${report.driver} cannot run here: ${report.unsupported.reason}\n`);
  return report.ok ? 0 : 1;
}

function line(name: string, { rounds, median, fastest, slowest }: Timing): string {
  const shown = (milliseconds: number): string => milliseconds.toFixed(milliseconds < 10 ? 3 : 1);
  return `${shown(median).padStart(10)} ms  ${name}  (${rounds} rounds, ${shown(fastest)} to ${shown(slowest)})\n`;
}
