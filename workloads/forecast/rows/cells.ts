import { CELL } from "./growth.ts";

const WORD = 2 ** 32;

/**
 * Cells of histograms on their way to a task that adds them up, column by column, each in the fewest bytes that hold all of it: most cells of a
 * block have few rows.
 */
export type PackedCells = {
  /** The sums are high × 2³² + low. */
  readonly low: Uint32Array;
  readonly high: Int8Array | Int16Array | Int32Array;
  readonly weights: Uint8Array | Uint16Array | Uint32Array;
  readonly rows: Uint8Array | Uint16Array | Uint32Array;
};

/** Packs `cells` of CELL numbers each. */
export function packCells(cells: Float64Array): PackedCells {
  const words = new Uint32Array((cells.length / CELL) * 4);
  for (let from = 0, to = 0; from < cells.length; from += CELL, to += 4) {
    const sum = cells[from] as number;
    words[to] = sum;
    words[to + 1] = Math.floor(sum / WORD);
    words[to + 2] = cells[from + 2] as number;
    words[to + 3] = cells[from + 1] as number;
  }
  return packWords(words);
}

/** The same from a kernel's cells of four words: low and high word of the sum, rows, weight. */
export function packWords(words: Uint32Array): PackedCells {
  const count = words.length / 4;
  const low = new Uint32Array(count);
  const high = new Int32Array(count);
  const rows = new Uint32Array(count);
  const weights = new Uint32Array(count);
  for (let cell = 0, from = 0; cell < count; cell++, from += 4) {
    low[cell] = words[from] as number;
    high[cell] = words[from + 1] as number;
    rows[cell] = words[from + 2] as number;
    weights[cell] = words[from + 3] as number;
  }
  return { low, high: narrowSigned(high), weights: narrow(weights), rows: narrow(rows) };
}

/** Adds as many of the packed cells from number `from` on as `own` has room for. */
export function addCells(own: Float64Array, { low, high, weights, rows }: PackedCells, from: number): void {
  for (let at = 0, cell = from; at < own.length; at += CELL, cell++) {
    own[at] = (own[at] as number) + ((high[cell] as number) * WORD + (low[cell] as number));
    own[at + 1] = (own[at + 1] as number) + (weights[cell] as number);
    own[at + 2] = (own[at + 2] as number) + (rows[cell] as number);
  }
}

function narrow(values: Uint32Array): PackedCells["rows"] {
  let used = 0;
  for (const value of values) used |= value;
  if (used >>> 16 !== 0) return values;
  return used < 2 ** 8 ? new Uint8Array(values) : new Uint16Array(values);
}

function narrowSigned(values: Int32Array): PackedCells["high"] {
  // What is below 0 has the bits that differ from its sign's.
  let used = 0;
  for (const value of values) used |= value ^ (value >> 31);
  if (used >= 2 ** 15) return values;
  return used < 2 ** 7 ? new Int8Array(values) : new Int16Array(values);
}
