import { expect, test } from "vitest";
import type { AttemptId } from "../../shared/ids.ts";
import { assigned, failure, Harness, heldChunk, JOB, node, ofType, output, plan, task } from "./simulation/harness.ts";
import { story } from "./story.ts";
import { holdersOf, nodeLoad, stageProgress } from "./views.ts";

const durable = output(1, true);
const held = output(1, false);

test("ready tasks go to the least loaded node, slots before prefetch, in order of partition", () => {
  const cluster = new Harness({ prefetch: 1 });
  cluster.join("a", 1);
  cluster.join("b", 2);
  expect(assigned(cluster.add(plan(0, 6)))).toEqual([
    "a: job/0/0#1",
    "a: job/0/3#1",
    "b: job/0/1#1",
    "b: job/0/2#1",
    "b: job/0/4#1",
  ]);
  expect(nodeLoad(cluster.state, node("b"))).toEqual({ slots: 2, running: 2, queued: 1, held: 0, state: "ready" });
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ tasks: 6, ready: 1, leased: 5 });
});

test("a result is accepted once, and the last one ends its stage", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 2));
  expect(cluster.succeed("a", "job/0/0#1", durable)).toEqual([
    { type: "Accept", node: "a", attempt: "job/0/0#1", task: "job/0/0", output: durable, repeated: false },
  ]);
  expect(ofType(cluster.succeed("a", "job/0/1#1", durable), "StageDone")).toEqual([
    { type: "StageDone", job: JOB, ordinal: 0 },
  ]);
});
