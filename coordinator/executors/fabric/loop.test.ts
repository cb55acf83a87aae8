import { expect, test } from "vitest";
import { jobId, nodeId } from "../../../shared/ids.ts";
import { ManualClock } from "../../../shared/testing/manual-clock.ts";
import type { SchedulerEvent } from "../../scheduler/events.ts";
import { type EffectHandlers, SchedulerLoop } from "./loop.ts";

const JOB = jobId("j-1");
const nothing = (): void => undefined;

const join = (node: string): SchedulerEvent => ({
  type: "NodeJoined",
  node: nodeId(node),
  slots: 1,
  held: [],
  running: [],
});
const stage = (tasks: number): SchedulerEvent => ({
  type: "StageAdded",
  stage: { job: JOB, ordinal: 0, dependencies: Array.from({ length: tasks }, () => []), finished: [], priority: 0 },
});

function loopWith(handlers: Partial<EffectHandlers>): SchedulerLoop {
  const rest = { Revoke: nothing, Accept: nothing, Reject: nothing, StageDone: nothing, JobFailed: nothing };
  return new SchedulerLoop({ prefetch: 0 }, new ManualClock(), { Assign: nothing, ...rest, ...handlers });
}

test("an effect that fails takes no other with it, nor the events that wait, and says so", () => {
  const told: string[] = [];
  const loop: SchedulerLoop = loopWith({
    Assign({ node }) {
      told.push(node);
      if (node !== "n-1") return;
      loop.dispatch(join("n-3"));
      throw new Error("n-1 cannot be told");
    },
  });
  for (const node of ["n-1", "n-2"]) loop.dispatch(join(node));
  expect(() => loop.dispatch(stage(3))).toThrow("n-1 cannot be told");
  expect(told).toEqual(["n-1", "n-2", "n-3"]);
  expect(loop.state.leases.size).toBe(3);
});

test("of several failures all are told", () => {
  const loop = loopWith({
    Assign({ node }) {
      throw new Error(`${node} cannot be told`);
    },
  });
  for (const node of ["n-1", "n-2"]) loop.dispatch(join(node));
  let failure: unknown;
  try {
    loop.dispatch(stage(2));
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(AggregateError);
  expect((failure as AggregateError).errors.map(String)).toEqual([
    "Error: n-1 cannot be told",
    "Error: n-2 cannot be told",
  ]);
});
