import { expect, test } from "vitest";
import { jobId } from "../../shared/ids.ts";
import { assigned, failure, Harness, heldChunk, JOB, node, ofType, output, plan, task } from "./simulation/harness.ts";
import { nodeLoad } from "./views.ts";

const durable = output(1, true);
const held = output(1, false);

test("ready tasks go to the least loaded node, slots before prefetch, in order of partition", () => {
  const cluster = new Harness({ prefetch: 1 });
  cluster.join("a", 1);
  cluster.join("b", 2);
  expect(cluster.add(plan(0, 6))[0]).toEqual({
    type: "Assign",
    node: "a",
    assignments: [
      { attempt: "job/0/0#1", task: "job/0/0" },
      { attempt: "job/0/3#1", task: "job/0/3" },
    ],
  });
  expect(nodeLoad(cluster.state, node("b"))).toEqual({ slots: 2, running: 2, queued: 1, held: 0, state: "ready" });
  expect(assigned(cluster.succeed("b", "job/0/1#1", durable))).toEqual(["b: job/0/5#1"]);
});

test("a node gets tasks whose inputs it holds first", () => {
  const cluster = new Harness({ prefetch: 0 });
  cluster.join("a", 2);
  cluster.join("b", 2);
  cluster.add(plan(0, 4));
  for (const [name, partition] of [
    ["a", 0],
    ["b", 1],
    ["a", 2],
    ["b", 3],
  ] as const) {
    cluster.succeed(name, `job/0/${partition}#1`, held);
  }
  const reversed = [3, 2, 1, 0].map((partition) => [task(0, partition)]);
  expect(assigned(cluster.add(plan(1, reversed)))).toEqual([
    "a: job/1/1#1",
    "a: job/1/3#1",
    "b: job/1/0#1",
    "b: job/1/2#1",
  ]);
});

test("a task goes to an idle holder of its input though another node is less loaded", () => {
  const cluster = new Harness({ prefetch: 0 });
  cluster.join("a", 2);
  cluster.add(plan(0, 2));
  cluster.succeed("a", "job/0/0#1", held);
  cluster.join("b", 2);
  expect(assigned(cluster.add(plan(1, [[task(0, 0)]])))).toEqual(["a: job/1/0#1"]);
});

test("higher priority first, then the lower ordinal, then the lower partition", () => {
  const cluster = new Harness();
  cluster.add(plan(5, 1, { priority: 1 }));
  cluster.add(plan(2, 2, { priority: 1 }));
  cluster.send({ type: "StageAdded", stage: { ...plan(9, 1, { priority: 7 }), job: jobId("urgent") } });
  cluster.send({ type: "StageAdded", stage: { ...plan(0, 1, { priority: -1 }), job: jobId("patient") } });
  expect(assigned(cluster.join("a", 8))).toEqual([
    "a: urgent/9/0#1",
    "a: job/2/0#1",
    "a: job/2/1#1",
    "a: job/5/0#1",
    "a: patient/0/0#1",
  ]);
});

test("a straggler gets one copy on an idle node; the first result wins and the other attempt is stopped", () => {
  const cluster = new Harness({ prefetch: 0, speculation: { factor: 2, minimumMs: 50 } });
  cluster.join("fast", 1);
  cluster.join("slow", 1);
  cluster.join("idle", 1);
  cluster.add(plan(0, 2));
  cluster.now = 100;
  expect(cluster.succeed("fast", "job/0/0#1", durable)).toContainEqual(expect.objectContaining({ type: "Accept" }));
  expect(assigned(cluster.tickAt(199))).toEqual([]);
  expect(assigned(cluster.tickAt(200))).toEqual(["fast: job/0/1#2"]);
  expect(assigned(cluster.tickAt(900))).toEqual([]);
  expect(cluster.succeed("fast", "job/0/1#2", durable)).toMatchObject([
    { type: "Accept", node: "fast" },
    { type: "StageDone" },
    { type: "Revoke", node: "slow", attempts: ["job/0/1#1"] },
  ]);
});

test("looks for stragglers are asked for while a slot is idle beside running attempts", () => {
  const cluster = new Harness({ prefetch: 0, speculation: { factor: 2, minimumMs: 50 } });
  cluster.join("a", 1);
  cluster.join("b", 1);
  expect(ofType(cluster.add(plan(0, 1)), "WakeAt")).toEqual([{ type: "WakeAt", time: 50 }]);
  expect(ofType(cluster.tickAt(50), "WakeAt")).toEqual([{ type: "WakeAt", time: 100 }]);
});

test("what waits in a slow node's queue is copied too", () => {
  const cluster = new Harness({ prefetch: 1, speculation: { factor: 2, minimumMs: 50 } });
  cluster.join("slow", 1);
  cluster.join("fast", 2);
  expect(assigned(cluster.add(plan(0, 5)))).toEqual([
    "slow: job/0/0#1",
    "slow: job/0/3#1",
    "fast: job/0/1#1",
    "fast: job/0/2#1",
    "fast: job/0/4#1",
  ]);
  cluster.now = 10;
  for (const partition of [1, 2, 4]) cluster.succeed("fast", `job/0/${partition}#1`, durable);
  expect(assigned(cluster.tickAt(49))).toEqual([]);
  expect(assigned(cluster.tickAt(50))).toEqual(["fast: job/0/0#2", "fast: job/0/3#2"]);
});

test("no copy goes to a node where the task failed", () => {
  const cluster = new Harness({ prefetch: 0, speculation: { factor: 2, minimumMs: 50 } });
  cluster.join("a", 1);
  cluster.join("b", 1);
  cluster.add(plan(0, 2));
  cluster.fail("a", "job/0/0#1", failure("TaskCrashed", true));
  cluster.now = 10;
  expect(assigned(cluster.succeed("b", "job/0/1#1", durable))).toEqual(["b: job/0/0#2"]);
  expect(assigned(cluster.tickAt(500))).toEqual([]);
});

test("inputs that came back with a node draw its readers there", () => {
  const cluster = new Harness({ epochBase: 10_000, prefetch: 0 });
  cluster.join("a", 1);
  cluster.join("b", 1, { held: [heldChunk(task(0, 0), 1)] });
  cluster.add(plan(0, 1, { finished: [{ partition: 0, output: held }] }));
  expect(assigned(cluster.add(plan(1, [[task(0, 0)]])))).toEqual(["b: job/1/0#10001"]);
  expect(nodeLoad(cluster.state, node("b"))?.held).toBe(1);
  expect(cluster.state.jobs.get(JOB)?.stages.size).toBe(2);
});
