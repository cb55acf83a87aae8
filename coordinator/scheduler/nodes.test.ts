import { expect, test } from "vitest";
import type { AttemptId } from "../../shared/ids.ts";
import { assigned, failure, Harness, heldChunk, JOB, node, ofType, output, plan, task } from "./simulation/harness.ts";
import { holdersOf, nodeLoad, stageProgress, takenAlong } from "./views.ts";

const durable = output(1, true);
const attempt = (text: string) => text as AttemptId;

test("the attempts of a lost node go to others, and that is no failure", () => {
  const cluster = new Harness({ prefetch: 1 });
  cluster.join("a", 1);
  cluster.add(plan(0, 2));
  cluster.join("b", 2);
  expect(assigned(cluster.lose("a"))).toEqual(["b: job/0/0#2", "b: job/0/1#2"]);
  // Only the first of the two was running.
  expect(stageProgress(cluster.state, JOB, 0)?.retries).toBe(1);
});

test("a partition that takes every process down ends its job", () => {
  const cluster = new Harness({ maxLostAttempts: 3 });
  cluster.add(plan(1, 1));
  for (const name of ["a", "b"]) {
    expect(assigned(cluster.join(name, 1))).toHaveLength(1);
    expect(cluster.lose(name)).toEqual([]);
  }
  cluster.join("c", 1);
  const [failed] = ofType(cluster.lose("c"), "JobFailed");
  expect(failed?.error).toMatchObject({ code: "TaskLost", retryable: false });
  expect(failed?.error.message).toContain("stage 1, partition 0 vanished with its node 3 times, the last time from c");
});

test("a node that comes back keeps what it runs, under the same attempts", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 2));
  cluster.lose("a");
  expect(cluster.join("a", 1, { running: [attempt("job/0/1#1")] })).toMatchObject([
    { type: "Assign", assignments: [{ attempt: "job/0/0#2" }] },
  ]);
  expect(cluster.succeed("a", "job/0/1#1", durable)).toMatchObject([{ type: "Accept", attempt: "job/0/1#1" }]);
});

test("a new connection replaces the old one: leases that the node does not name are assigned again", () => {
  const cluster = new Harness();
  cluster.join("a", 2);
  cluster.add(plan(0, 2));
  expect(assigned(cluster.join("a", 2, { running: [attempt("job/0/0#1")] }))).toEqual(["a: job/0/1#2"]);
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ leased: 2, retries: 0 });
});

test("an attempt of an earlier life is taken over", () => {
  const cluster = new Harness({ epochBase: 30_000 });
  cluster.add(plan(0, 1));
  expect(assigned(cluster.join("a", 1, { running: [attempt("job/0/0#20003")] }))).toEqual([]);
  expect(cluster.succeed("a", "job/0/0#20003", durable)).toMatchObject([{ type: "Accept" }, { type: "StageDone" }]);
});

test("an attempt that comes back while another node runs the task competes with it", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.join("b", 1);
  cluster.lose("a");
  cluster.join("a", 1, { running: [attempt("job/0/0#1")] });
  expect(cluster.succeed("a", "job/0/0#1", durable)).toMatchObject([
    { type: "Accept", node: "a" },
    { type: "StageDone" },
    { type: "Revoke", node: "b", attempts: ["job/0/0#2"] },
  ]);
});

test("attempts that nobody wants are stopped: done, failed before, from the future", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 2));
  cluster.succeed("a", "job/0/0#1", durable);
  cluster.fail("a", "job/0/1#1", failure("TaskCrashed", true));
  const running = ["job/0/0#1", "job/0/1#1", "job/0/1#77"].map(attempt);
  expect(cluster.join("b", 1, { running })).toContainEqual({ type: "Revoke", node: "b", attempts: running });
});

test("attempts of a stage that its driver has not reached are kept for it, with their results", () => {
  const cluster = new Harness({ epochBase: 10_000, rejoinGraceMs: 100 });
  cluster.join("a", 2, { running: ["job/0/0#3", "job/0/1#3"].map(attempt) });
  expect(cluster.succeed("a", "job/0/1#3", durable)).toEqual([]);
  expect(cluster.send({ type: "Heartbeat", node: node("a"), running: [attempt("job/0/0#3")] })).toEqual([]);
  const effects = cluster.add(plan(0, 3));
  expect(ofType(effects, "Accept").map((effect) => effect.attempt)).toEqual(["job/0/1#3"]);
  expect(assigned(effects)).toEqual(["a: job/0/2#10001"]);
  expect(cluster.succeed("a", "job/0/0#3", durable)).toMatchObject([{ type: "Accept" }]);
});

test("attempts of a stage that never comes are stopped in the end, and their results rejected", () => {
  const cluster = new Harness({ rejoinGraceMs: 100 });
  expect(cluster.join("a", 2, { running: ["job/0/0#3", "job/0/1#3"].map(attempt) })).toEqual([
    { type: "WakeAt", time: 100 },
  ]);
  cluster.succeed("a", "job/0/1#3", durable);
  expect(cluster.tickAt(100)).toEqual([
    { type: "Reject", node: "a", attempt: "job/0/1#3", reason: "its task is not known" },
    { type: "Revoke", node: "a", attempts: ["job/0/0#3"] },
  ]);
});

test("a paused node gives its leases back and gets none, until it offers slots again", () => {
  const cluster = new Harness({ prefetch: 1 });
  cluster.join("a", 1);
  cluster.add(plan(0, 2));
  const pause = { type: "SlotsChanged", node: node("a"), slots: 0, released: [attempt("job/0/1#1")] } as const;
  expect(assigned(cluster.send(pause))).toEqual([]);
  expect(nodeLoad(cluster.state, node("a"))).toMatchObject({ running: 1, queued: 0, state: "paused" });
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ leased: 1, ready: 1, retries: 0 });
  cluster.succeed("a", "job/0/0#1", durable);
  expect(assigned(cluster.send({ ...pause, slots: 1, released: [] }))).toEqual(["a: job/0/1#2"]);
});

test("a leaving node finishes what it has and gets nothing more", () => {
  const cluster = new Harness({ prefetch: 0 });
  cluster.join("a", 1);
  cluster.add(plan(0, 2));
  cluster.send({ type: "NodeLeaving", node: node("a") });
  expect(cluster.succeed("a", "job/0/0#1", durable).map((effect) => effect.type)).toEqual(["Accept"]);
  expect(nodeLoad(cluster.state, node("a"))).toMatchObject({ running: 0, state: "leaving" });
  expect(assigned(cluster.join("b", 1))).toEqual(["b: job/0/1#1"]);
});

test("heartbeats keep leases alive; one that they do not name expires and is fenced", () => {
  const cluster = new Harness({ leaseMs: 1_000, prefetch: 0 });
  cluster.join("a", 2);
  expect(cluster.add(plan(0, 2))).toContainEqual({ type: "WakeAt", time: 1_000 });
  cluster.now = 600;
  cluster.send({ type: "Heartbeat", node: node("a"), running: [attempt("job/0/0#1")] });
  expect(cluster.tickAt(1_000)).toEqual([
    { type: "Revoke", node: "a", attempts: ["job/0/1#1"] },
    { type: "Assign", node: "a", assignments: [{ attempt: "job/0/1#2", task: "job/0/1" }] },
    { type: "WakeAt", time: 1_600 },
  ]);
  expect(cluster.succeed("a", "job/0/1#1", durable)).toMatchObject([{ type: "Reject" }]);
});

test("a Tick that comes too early is asked for again", () => {
  const cluster = new Harness({ leaseMs: 1_000 });
  cluster.join("a", 1);
  expect(cluster.add(plan(0, 1))).toContainEqual({ type: "WakeAt", time: 1_000 });
  expect(cluster.tickAt(999.5)).toEqual([{ type: "WakeAt", time: 1_000 }]);
});

test("a half-open node gets nothing new once a lease expired, until it is heard again", () => {
  const cluster = new Harness({ leaseMs: 1_000 });
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  expect(assigned(cluster.tickAt(1_000))).toEqual([]);
  expect(nodeLoad(cluster.state, node("a"))?.state).toBe("silent");
  const effects = cluster.send({ type: "Heartbeat", node: node("a"), running: [attempt("job/0/0#1")] });
  expect(ofType(effects, "Revoke")).toEqual([{ type: "Revoke", node: "a", attempts: ["job/0/0#1"] }]);
  expect(assigned(effects)).toEqual(["a: job/0/0#2"]);
});

test("a heartbeat that crosses the acknowledgement of a held output does not revoke it", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", output(1, false));
  expect(cluster.send({ type: "Heartbeat", node: node("a"), running: [attempt("job/0/0#1")] })).toEqual([]);
});

test("a node counts as holder only of the whole output, with the accepted hash", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", output(1, false));
  cluster.join("b", 1, { held: [heldChunk(task(0, 0), 2)] });
  cluster.join("c", 1, { held: [heldChunk(task(0, 0), 1)] });
  expect(holdersOf(cluster.state, task(0, 0))).toEqual(["a", "c"]);
});

test("a node that leaves takes along what only such nodes hold and something reads, or may read yet", () => {
  const cluster = new Harness({ prefetch: 0 });
  for (const name of ["a", "b", "c"]) cluster.join(name, 1);
  cluster.add(plan(0, 3));
  for (const [partition, name] of ["a", "b", "c"].entries()) {
    cluster.succeed(name, `job/0/${partition}#1`, output(partition, false));
  }
  cluster.join("b", 1, { held: [0, 1].map((partition) => heldChunk(task(0, partition), partition)) });
  const taken = (name: string): readonly string[] => {
    cluster.send({ type: "NodeLeaving", node: node(name) });
    return takenAlong(cluster.state, node(name));
  };
  expect(taken("a")).toEqual([]);
  expect(taken("b")).toEqual(["job/0/0", "job/0/1"]);
  expect(takenAlong(cluster.state, node("a"))).toEqual(["job/0/0"]);
  cluster.send({ type: "OutputDurable", task: task(0, 0) });
  expect(takenAlong(cluster.state, node("b"))).toEqual(["job/0/1"]);
  cluster.add(plan(1, [[task(0, 1)]]));
  expect(takenAlong(cluster.state, node("b"))).toEqual(["job/0/1"]);
  cluster.succeed("c", "job/1/0#1", output(9, false));
  expect(takenAlong(cluster.state, node("b"))).toEqual([]);
  expect(takenAlong(cluster.state, node("nobody"))).toEqual([]);
});
