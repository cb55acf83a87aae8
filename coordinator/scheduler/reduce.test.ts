import { expect, test } from "vitest";
import { taskKey } from "../../shared/ids.ts";
import { reduce } from "./reduce.ts";
import { assigned, failure, Harness, JOB, node, ofType, output, plan } from "./simulation/harness.ts";
import { createScheduler } from "./state.ts";
import { nodeLoad, stageProgress } from "./views.ts";

const durable = output(1, true);

test("a result is accepted once, and the last one ends its stage", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 2));
  expect(cluster.succeed("a", "job/0/0#1", durable)).toEqual([
    { type: "Accept", node: "a", attempt: "job/0/0#1", task: "job/0/0", output: durable, repeated: false },
  ]);
  expect(cluster.succeed("a", "job/0/1#1", durable).map((effect) => effect.type)).toEqual(["Accept", "StageDone"]);
  expect(stageProgress(cluster.state, JOB, 0)).toEqual({
    tasks: 2,
    waiting: 0,
    ready: 0,
    leased: 0,
    done: 2,
    lost: 0,
    retries: 0,
  });
});

test("a stage without partitions, or with all of them in the journal, is done at once", () => {
  const cluster = new Harness();
  expect(cluster.add(plan(0, 0))).toEqual([{ type: "StageDone", job: JOB, ordinal: 0 }]);
  const finished = [
    { partition: 0, output: durable },
    { partition: 1, output: durable },
  ];
  expect(cluster.add(plan(1, 2, { finished }))).toEqual([{ type: "StageDone", job: JOB, ordinal: 1 }]);
});

test("what the journal answers as durable is not assigned", () => {
  const cluster = new Harness({ epochBase: 20_000 });
  cluster.join("a", 4);
  const effects = cluster.add(plan(0, 3, { finished: [{ partition: 1, output: durable }] }));
  expect(assigned(effects)).toEqual(["a: job/0/0#20001", "a: job/0/2#20001"]);
});

test("plans that cannot be are refused by name", () => {
  const cluster = new Harness();
  cluster.add(plan(0, 1));
  expect(() => cluster.add(plan(0, 1))).toThrow("stage 0 of job job: it was added before");
  expect(() => new Harness().add(plan(1, [[taskKey(JOB, 0, 9)]]))).toThrow("it reads job/0/9, which is not known");
  const finished = [{ partition: 5, output: durable }];
  expect(() => new Harness().add(plan(0, 2, { finished }))).toThrow("names partition 5");
});

test("a job's end drops its tasks and stops what runs of it, and of no other", () => {
  const cluster = new Harness();
  const other = plan(0, 1, { priority: -1 });
  cluster.join("a", 4);
  cluster.add(plan(0, 2));
  const second = reduce(cluster.state, { type: "StageAdded", stage: { ...other, job: "other" as typeof JOB } }, 0);
  expect(assigned(second.effects)).toEqual(["a: other/0/0#1"]);
  expect(cluster.send({ type: "JobEnded", job: JOB })).toEqual([
    { type: "Revoke", node: "a", attempts: ["job/0/0#1", "job/0/1#1"] },
  ]);
  expect(stageProgress(cluster.state, JOB, 0)).toBeUndefined();
  expect(nodeLoad(cluster.state, node("a"))?.running).toBe(1);
  expect(cluster.succeed("a", "job/0/0#1", durable)).toEqual([
    { type: "Reject", node: "a", attempt: "job/0/0#1", reason: "its task is not known: the job has ended" },
  ]);
});

test("the state that is given is the state that comes back, and events of unknown nodes change nothing", () => {
  const state = createScheduler();
  const gone = node("gone");
  expect(reduce(state, { type: "Heartbeat", node: gone, running: [] }, 0)).toEqual({ state, effects: [] });
  expect(reduce(state, { type: "NodeLost", node: gone, reason: "" }, 0).state).toBe(state);
  expect(reduce(state, { type: "NodeLeaving", node: gone }, 0).effects).toEqual([]);
  expect(reduce(state, { type: "SlotsChanged", node: gone, slots: 2, released: [] }, 0).effects).toEqual([]);
  expect(reduce(state, { type: "OutputDurable", task: taskKey(JOB, 0, 0) }, 0).effects).toEqual([]);
  expect(reduce(state, { type: "OutputMissing", task: taskKey(JOB, 0, 0), node: null }, 0).effects).toEqual([]);
});

test("an error that another node would meet too fails the job at once, and stops it", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.join("b", 1);
  cluster.add(plan(3, 9));
  const effects = cluster.fail("a", "job/3/0#1", failure("Overflow", false));
  expect(ofType(effects, "JobFailed")).toEqual([
    {
      type: "JobFailed",
      job: JOB,
      error: { code: "Overflow", message: "stage 3, partition 0: Overflow happened", retryable: false },
    },
  ]);
  expect(ofType(effects, "Revoke").flatMap((effect) => effect.attempts)).toHaveLength(5);
  expect(assigned(effects)).toEqual([]);
  expect(cluster.succeed("b", "job/3/1#1", durable)).toEqual([
    { type: "Reject", node: "b", attempt: "job/3/1#1", reason: "its job has failed" },
  ]);
  expect(assigned(cluster.join("c", 4))).toEqual([]);
});

test("an error in the caller's data keeps its own words", () => {
  const cluster = new Harness();
  cluster.join("a", 1);
  cluster.add(plan(0, 1));
  const error = { code: "BadInput", message: "data.csv, row 7: no number", retryable: false };
  expect(cluster.fail("a", "job/0/0#1", error)).toEqual([{ type: "JobFailed", job: JOB, error }]);
});
