import { median } from './statistics.js';

/** Seconds by row (what is done, on what, where) and contestant, one value per round. */
export class Scoreboard {
  readonly #rows = new Map<string, Map<string, number[]>>();
  readonly #peaks = new Map<string, number>();

  add(
    row: string,
    contestant: string,
    sample: { readonly seconds: number; readonly maxRssMiB?: number },
  ): void {
    const cells = this.#rows.get(row) ?? new Map<string, number[]>();
    this.#rows.set(row, cells);
    cells.set(contestant, [...(cells.get(contestant) ?? []), sample.seconds]);
    if (sample.maxRssMiB !== undefined && contestant === OURS) {
      this.#peaks.set(row, Math.max(this.#peaks.get(row) ?? 0, sample.maxRssMiB));
    }
  }

  toJSON(): readonly ScoreRow[] {
    return [...this.#rows].map(([row, cells]) => {
      const ours = median(cells.get(OURS) ?? [Number.NaN]);
      return {
        row,
        peakRssMiB: this.#peaks.get(row),
        contestants: [...cells].map(([name, seconds]) => ({
          name,
          seconds,
          median: median(seconds),
          oursIsFasterBy: median(seconds) / ours,
        })),
      };
    });
  }

  /** A table for people: median seconds, and in brackets how many times as long as ours. */
  toString(): string {
    const lines = this.toJSON().map(({ row, contestants, peakRssMiB }) => {
      const cells = contestants.map(({ name, median: middle, oursIsFasterBy }) =>
        name === OURS
          ? `${name} ${middle.toFixed(3)} s`
          : `${name} ${middle.toFixed(3)} s (x${oursIsFasterBy.toFixed(2)})`,
      );
      return `${row.padEnd(26)} ${cells.join('  ')}${peakRssMiB === undefined ? '' : `  peak ${peakRssMiB} MiB`}`;
    });
    return lines.join('\n');
  }
}

export interface ScoreRow {
  readonly row: string;
  readonly peakRssMiB: number | undefined;
  readonly contestants: readonly {
    readonly name: string;
    readonly seconds: readonly number[];
    readonly median: number;
    readonly oursIsFasterBy: number;
  }[];
}

export const OURS = 'layer-store';
