import type { Rng } from "../rng.ts";
import { log } from "./log.ts";
import { cos } from "./trigonometry.ts";

/** A standard normal deviate from two words of `rng`: Box and Muller (1958), its cosine half. */
export function normalDeviate(rng: Rng): number {
  const radius = Math.sqrt(-2 * log((rng.uint32() + 1) / 2 ** 32));
  return radius * cos(2 * Math.PI * rng.unit());
}
