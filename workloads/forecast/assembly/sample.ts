/**
 * One task's training set and one tree's bootstrap sample of it. A column's list holds one u32 for each drawn row,
 * rank << 16 | row, where rows are numbered among the drawn ones; it is sorted, and stays so within every node's segment.
 */
import { allocate } from "./memory";
import { philox, word0, word1, word2, word3 } from "./philox";

/** The rank of a missing value: after all others. */
export const MISSING: u32 = 0xffff;

export let rows: u32 = 0;
export let columns: u32 = 0;
export let order: usize = 0;
export let ranks: usize = 0;
let values: usize = 0;
export let valueStart: usize = 0;
let uppers: usize = 0;
export let targets: usize = 0;

/** u16[rows]: how often each row was drawn. */
export let drawn: usize = 0;
/** u16[rows]: the row's number among the drawn ones. */
let numbers: usize = 0;
/** (f64 weight × target, f64 weight) of each drawn row. */
export let stats: usize = 0;
/** u32[columns][rows]. */
export let lists: usize = 0;

/** Takes pointers to a training set (shapes in ../forest/training-set.ts) and allocates what a tree needs of it. */
export function loadTrainingSet(
  rowCount: u32,
  columnCount: u32,
  orderAt: usize,
  ranksAt: usize,
  valuesAt: usize,
  uppersAt: usize,
  valueStartAt: usize,
  targetsAt: usize,
): void {
  rows = rowCount;
  columns = columnCount;
  order = orderAt;
  ranks = ranksAt;
  values = valuesAt;
  uppers = uppersAt;
  valueStart = valueStartAt;
  targets = targetsAt;
  drawn = allocate(rows * 2);
  stats = allocate(rows * 16);
}

/** What trees need that are grown on sorted lists. */
export function allocateLists(): void {
  numbers = allocate(rows * 2);
  // Two more are read behind the last list, and never used.
  lists = allocate(<usize>columns * rows * 4 + 8);
}

export function listOf(column: u32): usize {
  return lists + <usize>column * rows * 4;
}

/** The (weighted target, weight) of a list's record. */
export function statsOf(record: u32): v128 {
  return v128.load(stats + ((record & 0xffff) << 4));
}

/** How a tree's rows are drawn. */
let draws: u32 = 0;
let replace: bool = true;

export function setSampling(drawCount: u32, withReplacement: bool): void {
  draws = drawCount;
  replace = withReplacement;
}

/** The value of a column that has this rank: the smallest of a bin. */
export function valueOf(column: u32, rank: u32): f64 {
  return load<f64>(values + (load<u32>(valueStart + column * 4) + rank) * 8);
}

/** The largest value of a column that has this rank. */
export function upperOf(column: u32, rank: u32): f64 {
  return load<f64>(uppers + (load<u32>(valueStart + column * 4) + rank) * 8);
}

/** Draws the tree's sample and makes `stats` and `lists`; gives the number of distinct rows drawn. */
export function drawSample(seed: u32, tree: u32): u32 {
  drawRows(seed, tree);
  const count = numberRows();
  for (let column: u32 = 0; column < columns; column++) fillList(column);
  return count;
}

/** Fills `drawn`, as ../forest/sample.ts says. */
export function drawRows(seed: u32, tree: u32): void {
  memory.fill(drawn, 0, rows * 2);
  if (!replace) {
    takeRows(seed, tree);
    return;
  }
  for (let index: u32 = 0; index < draws; index += 4) {
    philox(index >>> 2, 0, 0, seed, tree);
    draw(word0);
    if (index + 1 < draws) draw(word1);
    if (index + 2 < draws) draw(word2);
    if (index + 3 < draws) draw(word3);
  }
}

/** Without replacement: Knuth's algorithm S. */
function takeRows(seed: u32, tree: u32): void {
  let wanted = draws;
  for (let row: u32 = 0; row < rows && wanted > 0; row += 4) {
    philox(row >>> 2, 0, 0, seed, tree);
    wanted -= take(row, word0, wanted);
    if (row + 1 < rows) wanted -= take(row + 1, word1, wanted);
    if (row + 2 < rows) wanted -= take(row + 2, word2, wanted);
    if (row + 3 < rows) wanted -= take(row + 3, word3, wanted);
  }
}

// @ts-ignore: decorator
@inline
function take(row: u32, word: u32, wanted: u32): u32 {
  const taken = <u32>((<u64>word * (rows - row)) >>> 32 < <u64>wanted);
  store<u16>(drawn + (<usize>row << 1), <u16>taken);
  return taken;
}

function draw(word: u32): void {
  const at = drawn + ((<usize>((<u64>word * rows) >>> 32)) << 1);
  store<u16>(at, load<u16>(at) + 1);
}

function numberRows(): u32 {
  let count: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const weight = <f64>load<u16>(drawn + (row << 1));
    store<u16>(numbers + (row << 1), <u16>count);
    const at = stats + ((<usize>count) << 4);
    store<f64>(at, load<f64>(targets + (row << 3)) * weight);
    store<f64>(at, weight, 8);
    count += <u32>(weight > 0);
  }
  return count;
}

/** Keeps the drawn rows of a column that is sorted already. */
function fillList(column: u32): void {
  const from = (<usize>column * rows) << 1;
  let to = listOf(column);
  for (let index: usize = 0; index < (<usize>rows) << 1; index += 2) {
    const row = (<usize>load<u16>(order + from + index)) << 1;
    store<u32>(to, ((<u32>load<u16>(ranks + from + index)) << 16) | load<u16>(numbers + row));
    to += (<usize>(load<u16>(drawn + row) > 0)) << 2;
  }
}
