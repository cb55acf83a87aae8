import type { SchedulerOptions } from "./options.ts";
import type { Lease, StageState } from "./state.ts";

/** How many of a stage's last durations its median is taken of. */
const DURATIONS_KEPT = 65;

/** Notes how long (ms) an attempt ran, from its slot being free to its result. */
export function recordDuration(stage: StageState, ms: number): void {
  stage.durations[stage.finishedAttempts++ % DURATIONS_KEPT] = ms;
}

/** Median of the stage's recent durations in ms; undefined before the first. */
export function medianDuration(stage: StageState): number | undefined {
  const sorted = [...stage.durations].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/**
 * The time from which an attempt counts as a straggler; Infinity while nothing is known to compare with. The clock of an
 * attempt that runs starts with its slot; one that is queued behind others has waited since it was assigned.
 */
export function lateAt(lease: Lease, median: number | undefined, options: SchedulerOptions): number {
  if (median === undefined) return Number.POSITIVE_INFINITY;
  const { factor, minimumMs } = options.speculation;
  return (lease.startedAt ?? lease.assignedAt) + Math.max(minimumMs, factor * median);
}
