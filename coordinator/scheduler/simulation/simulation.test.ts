import { expect, test } from "vitest";
import { TRANSITIONS } from "../transitions.ts";
import { type Outcome, simulate } from "./run.ts";

/** Seeds that found a fault once: kept for ever. */
const FOUND: readonly number[] = [20, 25, 56, 110];
const SEEDS_PER_TEST = 250;
const TESTS = 4;

const exercised = new Set<string>();
const outcomes: Outcome[] = [];

function check(seed: number): void {
  const outcome = simulate(seed, true);
  outcomes.push({ ...outcome, trace: [] });
  for (const pair of outcome.transitions) exercised.add(pair);
  expect(outcome.failure, `seed ${seed}, faults: ${outcome.faults.join(" ")}`).toBeNull();
}

test.each(FOUND)("seed %i, which found a fault once", check);

test.each(Array.from({ length: TESTS }, (_, part) => part * SEEDS_PER_TEST))(
  "jobs end exactly, whatever happens: seeds from %i",
  (from) => {
    for (let seed = from; seed < from + SEEDS_PER_TEST; seed++) check(seed);
  },
  60_000,
);

test("the seeds made every transition and met every fault", () => {
  expect([...exercised].sort()).toEqual(Object.keys(TRANSITIONS).sort());
  const faults = new Set(outcomes.flatMap((outcome) => outcome.faults));
  expect([...faults].sort()).toEqual(
    ["disconnect", "evict", "halfOpen", "join", "kill", "leave", "lie", "pause", "restart", "slow"].sort(),
  );
});

test("the work done under faults is bounded", () => {
  const executions = outcomes.reduce((sum, outcome) => sum + outcome.executions, 0);
  const tasks = outcomes.reduce((sum, outcome) => sum + outcome.tasks, 0);
  // A fault every 60 ms among at most a dozen slots, with tasks of up to 85 ms: measured 2.3.
  expect(executions / tasks).toBeLessThan(3);
});

test("without faults each task runs once, but for copies of the longest at the end of a stage", () => {
  for (let seed = 0; seed < 100; seed++) {
    const outcome = simulate(seed, false);
    expect(outcome.failure, `seed ${seed}`).toBeNull();
    expect(outcome.executions, `seed ${seed}`).toBeLessThanOrEqual(outcome.tasks + 2);
  }
});

test("a seed repeats to the last effect", () => {
  for (const seed of [3, 14, 159]) expect(simulate(seed, true).trace).toEqual(simulate(seed, true).trace);
});
