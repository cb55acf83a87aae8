import { closeSync, openSync, writeSync } from "node:fs";
import { philox4x32 } from "../../../shared/math/philox.ts";
import { sin } from "../../../shared/math/trigonometry.ts";
import { formatDate } from "../../../workloads/forecast/data/dates.ts";

/** Columns beside the date and the target; with the ISO week and the day of the year, 20 features. */
const PREDICTORS = 18;
export const LARGE_TARGET = "y";
/** Rows of a day: as if so many places were in the file. */
const ROWS_OF_A_DAY = 200;
const FIRST_DAY = 7305;
/** Decimals that a column is written with, in turn: from few distinct values to as many as there are rows. */
const DECIMALS = [0, 1, 2, 4, 6];
/** Lines that are written at a time. */
const BATCH = 20_000;

/**
 * Writes rows of predictors uniform in [0, 100), and of a target that follows from seven of them, the season, and noise. Row r has
 * the Philox blocks (r, block, 0, 0) under the key (seed, 0).
 */
export function writeLargeRows(path: string, rows: number, seed: number): void {
  const file = openSync(path, "w");
  try {
    const names = Array.from({ length: PREDICTORS }, (_, column) => `x${String(column + 1).padStart(2, "0")}`);
    writeSync(file, `date,${names.join(",")},${LARGE_TARGET}\n`);
    for (let first = 0; first < rows; first += BATCH) {
      const lines: string[] = [];
      for (let row = first; row < Math.min(rows, first + BATCH); row++) lines.push(lineOf(row, seed));
      writeSync(file, lines.join(""));
    }
  } finally {
    closeSync(file);
  }
}

/** The last fiftieth of the days, as `--holdout` takes it. */
export function largeHoldout(rows: number): string {
  const days = Math.ceil(rows / ROWS_OF_A_DAY);
  const [from, to] = [FIRST_DAY + Math.floor(days * 0.98), FIRST_DAY + days - 1];
  return `${formatDate(from, false)}..${formatDate(to, false)}`;
}

const words = new Uint32Array(24);

function lineOf(row: number, seed: number): string {
  for (let block = 0; block < 6; block++) philox4x32(words, block * 4, [row, block, 0, 0], [seed, 0]);
  const day = FIRST_DAY + Math.floor(row / ROWS_OF_A_DAY);
  const unit = (word: number): number => (words[word] as number) / 2 ** 32;
  const x = (column: number): number => unit(column);
  // The sum of four uniform numbers, for noise that is nearly normal.
  const noise = unit(18) + unit(19) + unit(20) + unit(21) - 2;
  const target =
    10 * sin(3 * x(0) * x(1)) +
    20 * (x(2) - 0.5) * (x(2) - 0.5) +
    10 * x(3) +
    5 * x(4) * x(5) +
    (x(6) > 0.7 ? 4 : 0) +
    3 * sin(((day % 365) / 365) * 6.28) +
    noise;
  const values = Array.from({ length: PREDICTORS }, (_, column) =>
    (100 * x(column)).toFixed(DECIMALS[column % DECIMALS.length]),
  );
  return `${formatDate(day, false)},${values.join(",")},${target.toFixed(3)}\n`;
}
