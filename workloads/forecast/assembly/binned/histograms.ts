/** Histograms: (sum, weight) by cell. */
import { columns, stats } from "../sample";
import { bins, cells, cellStart } from "./bins";

/** Fills a histogram with rows: those numbers are `from` … `to`, u32 each. */
export function countRows(histogram: usize, from: usize, to: usize): void {
  memory.fill(histogram, 0, <usize>cells << 4);
  for (let at = from; at < to; at += 4) {
    const row = <usize>load<u32>(at);
    const pair = v128.load(stats + (row << 4));
    let bin = bins + ((row * columns) << 1);
    for (let start = cellStart; start < cellStart + (<usize>columns << 2); start += 4) {
      const cell = histogram + ((<usize>load<u32>(start) + load<u16>(bin)) << 4);
      v128.store(cell, f64x2.add(v128.load(cell), pair));
      bin += 2;
    }
  }
}

/** Takes a part's histogram off a whole one. */
export function subtract(histogram: usize, part: usize): void {
  for (let at: usize = 0; at < <usize>cells << 4; at += 16) {
    v128.store(histogram + at, f64x2.sub(v128.load(histogram + at), v128.load(part + at)));
  }
}
