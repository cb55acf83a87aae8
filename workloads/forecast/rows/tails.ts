import { fitMiddle, type Range } from "../data/cleaning.ts";
import { columnOf, type Division, partOf, rowsOf, type Survey } from "./survey.ts";

/** Cells of half a gap above and below the middle of a column; what lies beyond is in the last one. */
const TAIL_CELLS = 4096;

/** Where a column's tails begin, by the sample; `null` where there is no rule for it. */
export type Middle = (Range & { readonly gap: number }) | null;

export function middlesOf(survey: Survey, division: Division): Middle[] {
  const rows = rowsOf(survey, (day) => partOf(division, day) === "train");
  return survey.distinct.map((_, column) => {
    const known = columnOf(survey, column, rows).filter((value) => value === value);
    return fitMiddle(known.sort()) ?? null;
  });
}

/** By column, the smallest and the largest value of each cell: 0 … TAIL_CELLS above the middle, −1 … below it. */
export type Tails = readonly {
  readonly cells: Int32Array;
  readonly least: Float64Array;
  readonly most: Float64Array;
}[];

/** Gathers the tails of training rows: what a sample does not show is whether their ends are single values. */
export class TailGatherer {
  readonly #middles: readonly Middle[];
  readonly #cells: readonly Map<number, [number, number]>[];

  constructor(middles: readonly Middle[]) {
    this.#middles = middles;
    this.#cells = middles.map(() => new Map<number, [number, number]>());
  }

  take(values: Float64Array): void {
    for (let column = 0; column < values.length; column++) {
      const middle = this.#middles[column];
      const value = values[column] as number;
      if (middle == null || !(value > middle.high || value < middle.low)) continue;
      const off = value > middle.high ? value - middle.high : middle.low - value;
      const cell = Math.min(TAIL_CELLS, Math.floor(off / (middle.gap / 2)));
      widen(this.#cells[column] as Map<number, [number, number]>, value > middle.high ? cell : -1 - cell, value, value);
    }
  }

  get tails(): Tails {
    return this.#cells.map((cells) => {
      const sorted = [...cells].sort(([a], [b]) => a - b);
      return {
        cells: Int32Array.from(sorted, ([cell]) => cell),
        least: Float64Array.from(sorted, ([, [least]]) => least),
        most: Float64Array.from(sorted, ([, [, most]]) => most),
      };
    });
  }
}

function widen(cells: Map<number, [number, number]>, cell: number, least: number, most: number): void {
  const known = cells.get(cell);
  cells.set(cell, known === undefined ? [least, most] : [Math.min(known[0], least), Math.max(known[1], most)]);
}

/** As `fitRange` on all rows: a cell is half a gap wide, so that no gap can hide in one. */
export function rangesOf(middles: readonly Middle[], parts: readonly Tails[]): (Range | null)[] {
  return middles.map((middle, column) => {
    if (middle === null) return null;
    const cells = new Map<number, [number, number]>();
    for (const part of parts) {
      const own = part[column];
      own?.cells.forEach((cell, at) => {
        widen(cells, cell, own.least[at] as number, own.most[at] as number);
      });
    }
    let { low, high } = middle;
    const sorted = [...cells].sort(([a], [b]) => a - b);
    for (const [cell, [least, most]] of sorted) {
      if (cell < 0) continue;
      if (least - high > middle.gap) break;
      high = most;
    }
    for (const [cell, [least, most]] of sorted.reverse()) {
      if (cell >= 0) continue;
      if (low - most > middle.gap) break;
      low = least;
    }
    return { low, high };
  });
}
