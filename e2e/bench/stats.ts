import type { Average } from "./model.ts";

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function average(values: readonly number[], how: Average): number {
  if (how === "median") return median(values);
  if (values.length === 0) return Number.NaN;
  return how === "mean" ? mean(values) : Math.max(...values);
}
