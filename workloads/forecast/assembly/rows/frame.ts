/** What all tasks of a row-distributed forest know: columns, bins, limits of weights. Shapes: ../../rows/block.ts. */
import { allocate } from "../memory";
import { allocateVisits } from "../visits";

export let columns: u32 = 0;
/** Cells of a histogram, 16 bytes each: i64 sum of the weighted targets, u32 rows, u32 weight. */
export let cells: u32 = 0;
/** u32[columns]: the first byte of each column's cells in a histogram. */
export let cellAt: usize = 0;
/** u32[columns + 1] */
export let valueStart: usize = 0;
let values: usize = 0;
let uppers: usize = 0;
/** u32[limitCount] */
export let limits: usize = 0;
export let limitCount: u32 = 0;

/** Added to targets that are sent: with it they have no sign, and 26 bits. */
export const TARGET_LIMIT: i32 = (1 << 25) - 1;

/** Takes pointers; `columns` more cells than values. */
export function loadFrame(
  columnCount: u32,
  valueStartAt: usize,
  valuesAt: usize,
  uppersAt: usize,
  limitsAt: usize,
  limitsCount: u32,
): void {
  columns = columnCount;
  valueStart = valueStartAt;
  values = valuesAt;
  uppers = uppersAt;
  limits = limitsAt;
  limitCount = limitsCount;
  cells = load<u32>(valueStart + (<usize>columns << 2)) + columns;
  cellAt = allocate(<usize>columns << 2);
  for (let column: u32 = 0; column < columns; column++) {
    store<u32>(cellAt + (<usize>column << 2), (load<u32>(valueStart + (<usize>column << 2)) + column) << 4);
  }
  allocateVisits(columns);
}

/** The code of a missing value: the bin after the column's last. */
// @ts-ignore: decorator
@inline
export function missingBin(column: u32): u32 {
  const at = valueStart + (<usize>column << 2);
  return load<u32>(at, 4) - load<u32>(at);
}

export function valueOf(column: u32, bin: u32): f64 {
  return load<f64>(values + (<usize>(load<u32>(valueStart + (<usize>column << 2)) + bin) << 3));
}

export function upperOf(column: u32, bin: u32): f64 {
  return load<f64>(uppers + (<usize>(load<u32>(valueStart + (<usize>column << 2)) + bin) << 3));
}

/** Adds a row to a histogram. `row` has its codes, `pair` (sum, weight and rows). */
// @ts-ignore: decorator
@inline
export function addRow(histogram: usize, row: usize, pair: v128): void {
  const end = row + columns;
  let at = cellAt;
  while (row < end) {
    const cell = histogram + <usize>load<u32>(at) + (<usize>load<u8>(row) << 4);
    v128.store(cell, i64x2.add(v128.load(cell), pair));
    at += 4;
    row++;
  }
}

/** (weighted target; weight and rows), as a cell has them. */
// @ts-ignore: decorator
@inline
export function pairOf(target: i32, weight: u32): v128 {
  return i64x2.replace_lane(i64x2.splat(<i64>target * weight), 1, (<i64>weight << 32) | 1);
}
