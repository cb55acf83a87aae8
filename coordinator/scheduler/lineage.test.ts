import { expect, test } from "vitest";
import { assigned, Harness, heldChunk, JOB, node, ofType, output, plan, task } from "./simulation/harness.ts";
import { holdersOf, stageProgress } from "./views.ts";

const held = output(1, false);
const durable = output(1, true);

/** Node a has made partitions 0 and 1 of stage 0, and b is idle. */
function twoHeld(): Harness {
  const cluster = new Harness({ prefetch: 0 });
  cluster.join("a", 2);
  cluster.add(plan(0, 2));
  cluster.succeed("a", "job/0/0#1", held);
  cluster.succeed("a", "job/0/1#1", held);
  cluster.join("b", 2);
  return cluster;
}

test("a lost output that nothing needs stays lost", () => {
  const cluster = twoHeld();
  expect(cluster.lose("a")).toEqual([]);
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ lost: 2, ready: 0 });
});

test("a stage that reads lost outputs has them made again, and its end is not announced twice", () => {
  const cluster = twoHeld();
  cluster.lose("a");
  const inputs = [task(0, 0), task(0, 1)];
  expect(assigned(cluster.add(plan(1, [inputs, inputs])))).toEqual(["b: job/0/0#2", "b: job/0/1#2"]);
  expect(cluster.succeed("b", "job/0/0#2", held)).toMatchObject([{ type: "Accept", repeated: true }]);
  const effects = cluster.succeed("b", "job/0/1#2", held);
  expect(ofType(effects, "StageDone")).toEqual([]);
  expect(assigned(effects)).toEqual(["b: job/1/0#1", "b: job/1/1#1"]);
});

test("lineage goes back as far as outputs are lost", () => {
  const cluster = twoHeld();
  cluster.add(plan(1, [[task(0, 0)], [task(0, 1)]]));
  cluster.succeed("a", "job/1/0#1", held);
  cluster.succeed("a", "job/1/1#1", held);
  cluster.lose("a");
  expect(assigned(cluster.add(plan(2, [[task(1, 1)]])))).toEqual(["b: job/0/1#2"]);
  expect(assigned(cluster.succeed("b", "job/0/1#2", held))).toEqual(["b: job/1/1#2"]);
  expect(assigned(cluster.succeed("b", "job/1/1#2", held))).toEqual(["b: job/2/0#1"]);
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ done: 1, lost: 1 });
});

test("an output that comes back with its node is not made again", () => {
  const cluster = twoHeld();
  cluster.lose("a");
  cluster.add(plan(1, [[task(0, 0)], [task(0, 1)]]));
  const back = cluster.join("a", 2, { held: [heldChunk(task(0, 0), 1), heldChunk(task(0, 1), 1)] });
  expect(ofType(back, "Revoke")).toEqual([{ type: "Revoke", node: "b", attempts: ["job/0/0#2", "job/0/1#2"] }]);
  expect(assigned(back)).toEqual(["a: job/1/0#1", "a: job/1/1#1"]);
});

test("a recomputation that its last reader no longer needs is given up", () => {
  const cluster = new Harness({ prefetch: 0 });
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", held);
  cluster.join("b", 1);
  cluster.send({ type: "SlotsChanged", node: node("a"), slots: 0, released: [] });
  expect(assigned(cluster.add(plan(1, [[task(0, 0)]])))).toEqual(["b: job/1/0#1"]);
  cluster.lose("a");
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ ready: 1 });
  // b had read its input before that was lost.
  cluster.succeed("b", "job/1/0#1", durable);
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ lost: 1, ready: 0 });
});

test("a holder that cannot give an output is one no more; the last one's loss is made good when asked", () => {
  const cluster = twoHeld();
  cluster.join("c", 1, { held: [heldChunk(task(0, 0), 1)] });
  const missing = (name: string | null) =>
    cluster.send({ type: "OutputMissing", task: task(0, 0), node: name === null ? null : node(name) });
  expect(missing("a")).toEqual([]);
  expect(holdersOf(cluster.state, task(0, 0))).toEqual(["c"]);
  expect(missing(null)).toEqual([]);
  expect(assigned(missing("c"))).toEqual(["a: job/0/0#2"]);
});

test("a request is met once: what is lost again later stays lost until it is needed again", () => {
  const cluster = twoHeld();
  cluster.send({ type: "OutputMissing", task: task(0, 0), node: node("a") });
  cluster.succeed("a", "job/0/0#2", held);
  expect(assigned(cluster.lose("a"))).toEqual([]);
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ lost: 2 });
});

test("a reader whose inputs are gone waits for them before it is tried again", () => {
  const cluster = twoHeld();
  cluster.send({ type: "SlotsChanged", node: node("a"), slots: 0, released: [] });
  cluster.add(plan(1, [[task(0, 0), task(0, 1)]]));
  cluster.send({ type: "OutputMissing", task: task(0, 1), node: node("a") });
  const error = { code: "InputUnavailable", message: "gone", retryable: true };
  expect(assigned(cluster.fail("b", "job/1/0#1", error))).toEqual([]);
  expect(stageProgress(cluster.state, JOB, 1)).toMatchObject({ waiting: 1 });
  expect(assigned(cluster.succeed("b", "job/0/1#2", held))).toEqual(["b: job/1/0#2"]);
});

test("what is durable survives its holders", () => {
  const cluster = twoHeld();
  cluster.send({ type: "OutputDurable", task: task(0, 0) });
  cluster.lose("a");
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ done: 1, lost: 1 });
  cluster.send({ type: "OutputMissing", task: task(0, 0), node: node("a") });
  expect(assigned(cluster.add(plan(1, [[task(0, 0)]])))).toEqual(["b: job/1/0#1"]);
});

test("an output that becomes durable while it is made again ends that", () => {
  const cluster = twoHeld();
  cluster.lose("a");
  expect(assigned(cluster.send({ type: "OutputMissing", task: task(0, 0), node: null }))).toEqual(["b: job/0/0#2"]);
  expect(cluster.send({ type: "OutputDurable", task: task(0, 0) })).toEqual([
    { type: "Revoke", node: "b", attempts: ["job/0/0#2"] },
  ]);
});

test("after a recovery held outputs are waited for, then made again if they are needed", () => {
  const cluster = new Harness({ epochBase: 20_000, rejoinGraceMs: 500 });
  const finished = [0, 1].map((partition) => ({ partition, output: held }));
  cluster.join("b", 1, { held: [heldChunk(task(0, 1), 1)] });
  const effects = cluster.add(plan(0, 2, { finished }));
  expect(effects).toContainEqual({ type: "StageDone", job: JOB, ordinal: 0 });
  expect(effects).toContainEqual({ type: "WakeAt", time: 500 });
  expect(holdersOf(cluster.state, task(0, 1))).toEqual(["b"]);
  expect(assigned(cluster.add(plan(1, [[task(0, 0)], [task(0, 1)]])))).toEqual(["b: job/1/1#20001"]);
  expect(assigned(cluster.tickAt(499))).toEqual([]);
  expect(assigned(cluster.tickAt(500))).toEqual(["b: job/0/0#20001"]);
});

test("an output that comes back in time is not made again", () => {
  const cluster = new Harness({ epochBase: 20_000, rejoinGraceMs: 500 });
  cluster.add(plan(0, 1, { finished: [{ partition: 0, output: held }] }));
  cluster.add(plan(1, [[task(0, 0)]]));
  cluster.now = 400;
  expect(assigned(cluster.join("a", 1, { held: [heldChunk(task(0, 0), 1)] }))).toEqual(["a: job/1/0#20001"]);
  expect(assigned(cluster.tickAt(500))).toEqual([]);
});
