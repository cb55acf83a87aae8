import { expect, test } from "vitest";
import { invariants } from "./invariants.ts";
import { Harness, heldChunk, JOB, node, output, plan, task } from "./simulation/harness.ts";
import type { Lease, NodeState, SchedulerState, StageState, TaskState } from "./state.ts";

interface Scene {
  readonly state: SchedulerState;
  readonly stage: StageState;
  readonly leased: TaskState;
  readonly done: TaskState;
  readonly lease: Lease;
  readonly a: NodeState;
}

/** Stage 0 is held by a; of stage 1, which reads it, one partition is leased to a and one is ready. */
function scene(): Scene {
  const cluster = new Harness({ prefetch: 0 });
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", output(1, false));
  cluster.add(plan(1, [[task(0, 0)], [task(0, 0)]]));
  const { state } = cluster;
  const stage = state.jobs.get(JOB)?.stages.get(1);
  const leased = state.tasks.get(task(1, 0));
  const done = state.tasks.get(task(0, 0));
  const lease = leased?.leases[0];
  const a = state.nodes.get(node("a"));
  if (!stage || !leased || !done || !lease || !a) throw new Error("the scene is not set");
  return { state, stage, leased, done, lease, a };
}

test("a sound state has no violations", () => {
  expect(invariants(scene().state)).toEqual([]);
});

test.each<[string, (scene: Scene) => void]>([
  ["counts 7 ready tasks of 1", ({ stage }) => (stage.counts.ready = 7)],
  ["counts 1 accepted tasks of 0", ({ stage }) => stage.accepted++],
  ["count 3 missing of 0", ({ leased }) => (leased.inputs.missing = 3)],
  ["count 0 unfinished readers of 1", ({ leased }) => (leased.inputs.unfinished = 0)],
  ["is ready with 1 leases", ({ leased }) => (leased.status = "ready")],
  ["is leased with 0 leases", ({ leased }) => leased.leases.pop()],
  ["runs twice on one node", ({ leased, lease }) => leased.leases.push(lease)],
  ["is leased to a node that is gone", ({ state, a }) => state.nodes.delete(a.id)],
  ["is not exactly once on a", ({ a, lease }) => a.queued.add(lease)],
  ["would never expire", ({ state }) => (state.nextWake = null)],
  ["is durable and lost", ({ done }) => Object.assign(done, { durable: true, status: "lost" })],
  ["is done without output", ({ done }) => (done.output = null)],
  ["job/0/0: availability", ({ done, a }) => done.holders.splice(done.holders.indexOf(a), 1)],
  ["is needed and not made again", ({ done }) => (done.status = "lost")],
  ["holds job/1/0 unknown to it", ({ a, leased }) => a.held.add(leased)],
  ["a is filed wrongly, with room for 0", ({ state, a }) => state.free.add(a)],
  ["is ready, and a has room for it", ({ state, a }) => state.free.add(a)],
  ["lineage was not settled", ({ state, done }) => state.doubtful.push(done)],
  ["runs though its job has failed", ({ stage }) => (stage.job.failed = true)],
])("%s", (violation, corrupt) => {
  const set = scene();
  corrupt(set);
  expect(invariants(set.state).join("\n")).toContain(violation);
});

test("an output that is awaited without end is found", () => {
  const cluster = new Harness({ epochBase: 10_000 });
  cluster.add(plan(0, 1, { finished: [{ partition: 0, output: output(1, false) }] }));
  cluster.state.nextWake = null;
  expect(invariants(cluster.state)).toEqual(["job/0/0 would be awaited for ever"]);
  cluster.join("a", 1, { held: [heldChunk(task(0, 0), 1)] });
  expect(invariants(cluster.state)).toEqual([]);
});
