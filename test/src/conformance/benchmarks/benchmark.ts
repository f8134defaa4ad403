import type { Workbench } from '../check.js';

/** A prepared benchmark. */
export interface Measured {
  /** What is timed. */
  readonly round: () => Promise<void>;
  /** Undoes a round, untimed. */
  readonly afterwards?: () => Promise<void>;
}

/** Something whose time is of interest, and never a verdict. */
export interface Benchmark {
  /** What is done; graphtest's name stands in parentheses. */
  readonly name: string;
  readonly rounds: number;
  /** Makes the layers that are needed, untimed. */
  prepare(bench: Workbench): Promise<Measured>;
}

/** Milliseconds. */
export interface Timing {
  readonly rounds: number;
  readonly median: number;
  readonly fastest: number;
  readonly slowest: number;
}

/** Runs a benchmark, after one round that is not counted. */
export async function measure(benchmark: Benchmark, bench: Workbench): Promise<Timing> {
  const { round, afterwards } = await benchmark.prepare(bench);
  const times: number[] = [];
  for (let index = 0; index <= benchmark.rounds; index++) {
    bench.signal.throwIfAborted();
    const started = process.hrtime.bigint();
    await round();
    const took = Number(process.hrtime.bigint() - started) / 1e6;
    if (index > 0) times.push(took);
    await afterwards?.();
  }
  return timingOf(times);
}

/** Throws RangeError without times. */
export function timingOf(times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  const [fastest, slowest] = [sorted[0], sorted.at(-1)];
  if (fastest === undefined || slowest === undefined) throw new RangeError('a benchmark needs rounds');
  const middle = (sorted.length - 1) / 2;
  const [low = fastest, high = slowest] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return { rounds: sorted.length, median: (low + high) / 2, fastest, slowest };
}
