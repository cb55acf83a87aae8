import { expect, test } from "vitest";
import type { AttemptId, NodeId } from "../../shared/ids.ts";
import type { SchedulerEvent } from "./events.ts";
import { reduce } from "./reduce.ts";
import { JOB, node, output, plan, task } from "./simulation/harness.ts";
import { createScheduler } from "./state.ts";
import { stageProgress } from "./views.ts";

/** Runs a map of `size` tasks and a shuffle of as many reducers, each of which reads all of it; gives ms per event. */
function run(size: number): number {
  const state = createScheduler();
  const assigned: { node: NodeId; attempt: AttemptId }[] = [];
  let events = 0;
  const send = (event: SchedulerEvent) => {
    const { effects } = reduce(state, event, events++);
    for (const effect of effects) {
      if (effect.type !== "Assign") continue;
      for (const { attempt } of effect.assignments) assigned.push({ node: effect.node, attempt });
    }
  };
  const begin = performance.now();
  for (let index = 0; index < 25; index++) {
    send({ type: "NodeJoined", node: node(`n${index}`), slots: 4, held: [], running: [] });
  }
  const all = Array.from({ length: size }, (_, partition) => task(0, partition));
  let next = 0;
  for (const stage of [
    plan(0, size),
    plan(
      1,
      Array.from({ length: size }, () => all),
    ),
  ]) {
    send({ type: "StageAdded", stage });
    for (; next < assigned.length; next++) {
      const lease = assigned[next];
      if (lease) send({ type: "AttemptSucceeded", ...lease, output: output(1, false) });
    }
  }
  const ms = performance.now() - begin;
  expect(stageProgress(state, JOB, 1)).toMatchObject({ tasks: size, done: size, retries: 0 });
  return ms / events;
}

test("the cost of an event does not grow with the size of its stage", () => {
  run(1_000);
  const small = Math.min(run(1_500), run(1_500));
  const large = run(30_000);
  // 20 times the tasks: a scan in each event would cost up to 20 times as much; measured 1.1 to 2.7.
  expect(large / small).toBeLessThan(6);
}, 60_000);
