import { expect, test } from "vitest";
import { assigned, failure, Harness, JOB, node, ofType, output, plan, task } from "./simulation/harness.ts";
import { holdersOf, stageProgress } from "./views.ts";

const durable = output(1, true);
const held = output(1, false);
const crash = failure("TaskCrashed", true);

test("a failed task goes to nodes where it has not failed, then the job fails and names them", () => {
  const cluster = new Harness({ prefetch: 0 });
  for (const name of ["a", "b", "c", "d", "e"]) cluster.join(name, 1);
  expect(assigned(cluster.add(plan(0, 1)))).toEqual(["a: job/0/0#1"]);
  expect(assigned(cluster.fail("a", "job/0/0#1", crash))).toEqual(["b: job/0/0#2"]);
  expect(assigned(cluster.fail("b", "job/0/0#2", crash))).toEqual(["c: job/0/0#3"]);
  expect(assigned(cluster.fail("c", "job/0/0#3", crash))).toEqual(["d: job/0/0#4"]);
  expect(cluster.fail("d", "job/0/0#4", crash)).toEqual([
    {
      type: "JobFailed",
      job: JOB,
      error: {
        code: "TaskFailed",
        message:
          "stage 0, partition 0 failed 4 times, on a, b, c, d; the last time with TaskCrashed: TaskCrashed happened",
        retryable: false,
      },
    },
  ]);
});

test("a failed task waits for another node that is busy, and returns to its own only when that is the last", () => {
  const cluster = new Harness({ prefetch: 0 });
  cluster.join("a", 1);
  cluster.join("b", 1);
  cluster.add(plan(0, 2));
  expect(assigned(cluster.fail("a", "job/0/0#1", crash))).toEqual([]);
  expect(assigned(cluster.lose("b"))).toEqual(["a: job/0/0#2"]);
  expect(assigned(cluster.fail("a", "job/0/0#2", crash))).toEqual(["a: job/0/0#3"]);
  expect(stageProgress(cluster.state, JOB, 0)?.retries).toBe(3);
});

test("a task that failed does not slip back to its node through the queue of those that never failed", () => {
  const cluster = new Harness({ prefetch: 0 });
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", held);
  // The holder takes partition 1 by nearness, which leaves its entry in the stage's own queue behind partition 0.
  cluster.add(plan(1, [[], [task(0, 0)]]));
  cluster.join("b", 1);
  cluster.fail("a", "job/1/1#1", crash);
  expect(assigned(cluster.succeed("b", "job/1/0#1", durable))).toEqual(["b: job/1/1#2"]);
  expect(stageProgress(cluster.state, JOB, 1)).toMatchObject({ done: 1, leased: 1, ready: 0 });
});

test("a paused or leaving node does not count as another node", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.join("b", 0);
  cluster.add(plan(0, 1));
  expect(assigned(cluster.fail("a", "job/0/0#1", crash))).toEqual(["a: job/0/0#2"]);
});

test("an input that cannot be read is not the task's failure, but does not go on for ever", () => {
  const cluster = new Harness({ maxLostAttempts: 6 });
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  const unavailable = failure("InputUnavailable", true);
  for (let epoch = 1; epoch < 6; epoch++) {
    expect(assigned(cluster.fail("a", `job/0/0#${epoch}`, unavailable))).toEqual([`a: job/0/0#${epoch + 1}`]);
  }
  const [failed] = ofType(cluster.fail("a", "job/0/0#6", unavailable), "JobFailed");
  expect(failed?.error.message).toContain("stage 0, partition 0 could not read its input 6 times");
});

test("attempts that fail because an input is being made again are not counted against the task", () => {
  const cluster = new Harness({ maxLostAttempts: 2, prefetch: 0 });
  const unavailable = failure("InputUnavailable", true);
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", held);
  cluster.add(plan(1, [[task(0, 0)]]));
  for (let epoch = 1; epoch < 6; epoch++) {
    cluster.send({ type: "OutputMissing", task: task(0, 0), node: node("a") });
    expect(assigned(cluster.fail("a", `job/1/0#${epoch}`, unavailable))).toEqual([`a: job/0/0#${epoch + 1}`]);
    expect(assigned(cluster.succeed("a", `job/0/0#${epoch + 1}`, held))).toEqual([`a: job/1/0#${epoch + 1}`]);
  }
});

test("the count of unreadable inputs begins anew when one was lost", () => {
  const cluster = new Harness({ maxLostAttempts: 2, prefetch: 0 });
  const unavailable = failure("InputUnavailable", true);
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", held);
  cluster.add(plan(1, [[task(0, 0)]]));
  expect(assigned(cluster.fail("a", "job/1/0#1", unavailable))).toEqual(["a: job/1/0#2"]);
  cluster.send({ type: "OutputMissing", task: task(0, 0), node: node("a") });
  cluster.fail("a", "job/1/0#2", unavailable);
  cluster.succeed("a", "job/0/0#2", held);
  expect(assigned(cluster.fail("a", "job/1/0#3", unavailable))).toEqual(["a: job/1/0#4"]);
  expect(ofType(cluster.fail("a", "job/1/0#4", unavailable), "JobFailed")).toHaveLength(1);
});

test("results without a live lease are rejected with the reason", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.join("b", 1);
  cluster.add(plan(0, 1));
  const reason = (name: string, attempt: string, result = durable) =>
    cluster.succeed(name, attempt, result).map((effect) => (effect.type === "Reject" ? effect.reason : effect.type));
  expect(reason("nobody", "job/0/0#1")).toEqual(["the node is not joined"]);
  expect(reason("b", "job/0/0#1")).toEqual(["its lease has ended: the task is assigned anew"]);
  expect(reason("a", "job/0/0#7")).toEqual(["its lease has ended: the task is assigned anew"]);
  expect(reason("a", "job/0/0#1")).toEqual(["Accept", "StageDone"]);
  expect(reason("b", "job/0/0#1")).toEqual(["already done"]);
  expect(reason("b", "job/0/0#9", output(2, true))).toEqual([
    "already done, and this output differs from the accepted one",
  ]);
});

test("late failures change nothing", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.join("b", 1);
  cluster.add(plan(0, 1));
  expect(cluster.fail("b", "job/0/0#1", crash)).toEqual([]);
  cluster.succeed("a", "job/0/0#1", durable);
  expect(cluster.fail("a", "job/0/0#1", failure("BadInput", false))).toEqual([]);
  expect(stageProgress(cluster.state, JOB, 0)).toMatchObject({ done: 1, retries: 0 });
});

test("a held result that is sent again, because its acknowledgement was lost, is acknowledged again", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", held);
  expect(cluster.succeed("a", "job/0/0#1", held)).toMatchObject([{ type: "Accept", node: "a", repeated: true }]);
  expect(holdersOf(cluster.state, task(0, 0))).toEqual(["a"]);
});

test("the accepted result, sent again while its output is being made anew, ends that", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", held);
  expect(assigned(cluster.send({ type: "OutputMissing", task: task(0, 0), node: null }))).toEqual([]);
  cluster.join("b", 1);
  cluster.lose("a");
  expect(assigned(cluster.send({ type: "OutputMissing", task: task(0, 0), node: null }))).toEqual(["b: job/0/0#2"]);
  cluster.join("a", 1);
  expect(cluster.succeed("a", "job/0/0#1", held)).toMatchObject([
    { type: "Accept", node: "a", repeated: true },
    { type: "Revoke", node: "b", attempts: ["job/0/0#2"] },
  ]);
});

test("an output that comes back with other bytes fails the job and names both nodes", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.join("b", 1);
  cluster.add(plan(2, 1));
  cluster.succeed("a", "job/2/0#1", held);
  cluster.lose("a");
  cluster.send({ type: "OutputMissing", task: task(2, 0), node: null });
  const [failed, rejected] = cluster.succeed("b", "job/2/0#2", output(2, false));
  expect(failed).toMatchObject({ type: "JobFailed", error: { code: "NotDeterministic", retryable: false } });
  expect(failed).toHaveProperty("error.message", expect.stringMatching(/stage 2, partition 0 .* on b than on a/));
  expect(rejected).toMatchObject({ type: "Reject", node: "b" });
});

test("within one process, where nothing is hashed, sizes are compared", () => {
  const unhashed = { chunks: [{ bytes: 8, hash: null }], durable: false };
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  cluster.succeed("a", "job/0/0#1", unhashed);
  cluster.lose("a");
  cluster.join("b", 1);
  cluster.send({ type: "OutputMissing", task: task(0, 0), node: null });
  expect(cluster.succeed("b", "job/0/0#2", unhashed)).toMatchObject([{ type: "Accept", repeated: true }]);
  cluster.send({ type: "OutputMissing", task: task(0, 0), node: node("b") });
  const longer = { chunks: [{ bytes: 9, hash: null }], durable: false };
  expect(cluster.succeed("b", "job/0/0#3", longer)).toMatchObject([{ type: "JobFailed" }, { type: "Reject" }]);
});
