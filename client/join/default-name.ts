import type { Rng } from "../../shared/rng.ts";

const FIRST = [
  "amber",
  "ashen",
  "bright",
  "copper",
  "dusky",
  "gentle",
  "golden",
  "quiet",
  "rustic",
  "steady",
  "sunny",
  "warm",
];
const SECOND = [
  "alder",
  "aspen",
  "birch",
  "cedar",
  "ember",
  "hazel",
  "lantern",
  "maple",
  "pine",
  "rowan",
  "spark",
  "willow",
];

/** A name to begin with, such as `warm-birch-42`: tells nothing about the person or the device. */
export function defaultName(rng: Pick<Rng, "below">): string {
  const pick = (words: readonly string[]) => words[rng.below(words.length)] ?? "spark";
  return `${pick(FIRST)}-${pick(SECOND)}-${10 + rng.below(90)}`;
}

/** Threads to lend at first: all but one, so that the device stays pleasant to use. */
export const defaultSlots = (threads: number): number => Math.max(1, threads - 1);
