/** The bins of a training set's rows, and where each has its cell in a histogram. */
import { allocate } from "../memory";
import { columns, MISSING, order, ranks, rows, valueStart } from "../sample";

/** u16[rows][columns]: the bin of each row; missing values have the one after the column's last. */
export let bins: usize = 0;
/** u32[columns + 1]: the first cell of each column in a histogram. */
export let cellStart: usize = 0;
export let cells: u32 = 0;

export function allocateBins(): void {
  cellStart = allocate((<usize>columns + 1) << 2);
  for (let column: u32 = 0; column <= columns; column++) {
    store<u32>(cellStart + (<usize>column << 2), load<u32>(valueStart + (<usize>column << 2)) + column);
  }
  cells = cellOf(columns);
  bins = allocate((<usize>rows * columns) << 1);
  for (let column: u32 = 0; column < columns; column++) fillBins(column);
}

function fillBins(column: u32): void {
  const from = (<usize>column * rows) << 1;
  const missing = <u16>(cellOf(column + 1) - cellOf(column) - 1);
  for (let index: usize = 0; index < <usize>rows << 1; index += 2) {
    const rank = load<u16>(ranks + from + index);
    const row = <usize>load<u16>(order + from + index);
    store<u16>(bins + ((row * columns + column) << 1), rank == <u16>MISSING ? missing : rank);
  }
}

// @ts-ignore: decorator
@inline
export function cellOf(column: u32): u32 {
  return load<u32>(cellStart + (<usize>column << 2));
}

// @ts-ignore: decorator
@inline
export function binOf(row: u32, column: u32): u32 {
  return load<u16>(bins + ((<usize>row * columns + column) << 1));
}

/** The bin of missing values. */
// @ts-ignore: decorator
@inline
export function missingBin(column: u32): u32 {
  return cellOf(column + 1) - cellOf(column) - 1;
}
