/** The rows of a small node, numbered anew from 0, and copies of their lists. */
import { allocate } from "../memory";
import { columns, listOf, rows, statsOf } from "../sample";

/** The most rows of such a node: a mask's bits. */
export const SMALL: u32 = 32;
/** Bytes of one column's list. */
export const LIST: usize = (<usize>SMALL) << 2;

/** Two buffers of u32[columns][SMALL], rank << 16 | number: nodes of even and of odd depth below the first. */
export let even: usize = 0;
export let odd: usize = 0;
/** v128[SMALL]: (weighted target, weight) of each row. */
let pairs: usize = 0;
/** u8[rows]: the number of each row of the whole sample. */
let numbers: usize = 0;

export function allocateRows(): void {
  even = allocate(<usize>columns * LIST);
  odd = allocate(<usize>columns * LIST);
  pairs = allocate((<usize>SMALL) << 4);
  numbers = allocate(rows);
}

/** Numbers the rows of the segment [start, end) and copies its lists that are not `constant` to `even`. */
export function copyRows(start: u32, end: u32, constant: u64): void {
  const bytes = (<usize>(end - start)) << 2;
  let numbered = false;
  for (let column: u32 = 0; column < columns; column++) {
    if ((constant >>> column) & 1) continue;
    const from = listOf(column) + ((<usize>start) << 2);
    const to = even + <usize>column * LIST;
    if (!numbered) {
      for (let at: usize = 0; at < bytes; at += 4) {
        const record = load<u32>(from + at);
        store<u8>(numbers + (record & 0xffff), <u8>(at >>> 2));
        v128.store(pairs + (at << 2), statsOf(record));
      }
      numbered = true;
    }
    for (let at: usize = 0; at < bytes; at += 4) {
      const record = load<u32>(from + at);
      store<u32>(to + at, (record & 0xffff0000) | load<u8>(numbers + (record & 0xffff)));
    }
  }
}

// @ts-ignore: decorator
@inline
export function pairOf(record: u32): v128 {
  return v128.load(pairs + ((record & 0xffff) << 4));
}

export function targetOf(record: u32): f64 {
  const pair = pairOf(record);
  return f64x2.extract_lane(pair, 0) / f64x2.extract_lane(pair, 1);
}
