import { exp } from "../../../shared/math/exp.ts";
import { philox4x32 } from "../../../shared/math/philox.ts";
import type { LevelOptions } from "./growth.ts";

/** A row is drawn at most so often: 6 bits. */
const MOST = 63;

/**
 * A row's weight in a tree is the number of these limits that its word does not exceed. With replacement: Poisson-distributed around
 * the subsampling rate, as Spark's BaggedPoint draws (Oza and Russell, "Online Bagging", 2001); without: drawn or not. There is one limit at
 * least: a rate below 2⁻³² counts as that.
 */
export function weightLimits({ subsamplingRate = 1, bootstrap }: LevelOptions): Uint32Array {
  const rate = Math.max(subsamplingRate, 2 ** -32);
  if (bootstrap === false) return Uint32Array.of(Math.floor(rate * 2 ** 32) - 1);
  const limits: number[] = [];
  let probability = exp(-rate);
  let reached = 1 - probability;
  for (let times = 1; times <= MOST && reached * 2 ** 32 >= 1; times++) {
    limits.push(Math.floor(reached * 2 ** 32) - 1);
    probability = (probability * subsamplingRate) / times;
    reached -= probability;
  }
  return Uint32Array.from(limits);
}

/** Bits that any weight of these limits fits in, at most 6. */
export const weightBits = (limits: Uint32Array): number => 32 - Math.clz32(limits.length);

/**
 * How often tree `tree` draws each of `count` rows from number `first` on. Row r's word is number r mod 4 of the Philox block
 * (⌊r / 4⌋, 0, 2, 0) under the key (seed, tree): any block of rows can be drawn alone.
 */
export function drawWeights(limits: Uint32Array, seed: number, tree: number, first: number, count: number): Uint8Array {
  const weights = new Uint8Array(count);
  const words = new Uint32Array(4);
  let block = -1;
  for (let at = 0; at < count; at++) {
    const row = first + at;
    if (row >>> 2 !== block) {
      block = row >>> 2;
      philox4x32(words, 0, [block, 0, 2, 0], [seed, tree]);
    }
    const word = words[row & 3] as number;
    let times = 0;
    while (times < limits.length && word <= (limits[times] as number)) times++;
    weights[at] = times;
  }
  return weights;
}
