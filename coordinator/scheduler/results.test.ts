import { expect, test } from "vitest";
import { assigned, failure, Harness, JOB, ofType, output, plan, task } from "./simulation/harness.ts";
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
});
