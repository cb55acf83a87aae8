import { expect, test } from "vitest";
import { type ChunkKey, chunkKey, type JobId, jobId, taskKey } from "../../shared/ids.ts";
import { defineTask, defineWorkload, type Job, z } from "../../shared/sdk/index.ts";
import type { Value } from "../../shared/value.ts";
import type { ChunkName, Executor, StageRequest } from "../executors/executor.ts";
import { MemoryBlobs } from "../store/memory-blobs.ts";
import { MemoryJournal } from "../store/memory-journal.ts";
import { blobArtifacts } from "./artifacts.ts";
import { createReplayingJob } from "./replay.ts";

const JOB = jobId("j-1");
const double = defineTask({ js: (n: number) => 2 * n });
const split = defineTask({ js: (n: number) => [n, n + 1] });
const sum = defineTask({ js: (parts: readonly number[]) => parts.reduce((a, b) => a + b, 0) });
const workload = defineWorkload({
  name: "test",
  params: z.object({}),
  tasks: { double, split, sum },
  drive: async () => ({ metrics: {}, artifacts: [] }),
});

/** Runs tasks in place and keeps what they make, as a fabric keeps it across a restart. */
class FakeExecutor implements Executor {
  readonly values = new Map<ChunkKey, Value>();
  readonly ran: string[] = [];
  readonly requests: StageRequest[] = [];
  identity = "first";

  begin(): void {}
  end(): void {}

  async openSource(_job: JobId, _ordinal: number, file: string) {
    return { name: file, bytes: 10, identity: this.identity };
  }

  async keepValue(job: JobId, ordinal: number, value: Value): Promise<void> {
    this.values.set(chunkKey(taskKey(job, ordinal, 0), 0), value);
  }

  async runStage(request: StageRequest): Promise<readonly Value[]> {
    this.requests.push(request);
    return request.inputs.map((input, partition) => {
      const task = taskKey(request.job, request.ordinal, partition);
      if (this.values.has(chunkKey(task, 0))) return "recovered";
      this.ran.push(task);
      const read = ({ task, bucket }: ChunkName): Value => this.values.get(chunkKey(task, bucket));
      const value =
        input.kind === "value" ? input.value : input.kind === "chunk" ? read(input.chunk) : input.chunks.map(read);
      const kernel = workload.tasks[request.task]?.js as (value: Value) => Value;
      const output = kernel(value);
      const buckets = request.kind === "shuffle" ? (output as Value[]) : [output];
      for (const [bucket, chunk] of buckets.entries()) this.values.set(chunkKey(task, bucket), chunk);
      return "computed";
    });
  }

  async load({ task, bucket }: ChunkName): Promise<Value> {
    return this.values.get(chunkKey(task, bucket));
  }
}

function setUp() {
  const executor = new FakeExecutor();
  const journal = new MemoryJournal();
  const blobs = new MemoryBlobs();
  const life = (): Job => createReplayingJob(JOB, workload, executor, journal, blobArtifacts(blobs));
  const textOf = async (hash: string): Promise<string> => new TextDecoder().decode(await blobs.get(hash as never));
  return { executor, journal, life, textOf };
}

async function drive(job: Job) {
  const source = await job.source("input.csv");
  const chance = await job.once(() => Math.random());
  const broadcast = await job.broadcast({ source: source.bytes });
  const buckets = await job.shuffle(split, [1, 10], { buckets: 2, broadcast: broadcast as never });
  const sums = await job.reduce(sum, buckets);
  const last = await job.map(double, sums, {
    broadcast: (await job.broadcast({ dataset: sums, partition: 1 })) as never,
  });
  return { chance, summaries: last.summaries, result: await job.collect(last, { first: await job.fetch(last, 0) }) };
}

test("a second life makes no stage anew and gives the same, chance included", async () => {
  const { executor, life, textOf } = setUp();
  const first = await drive(life());
  const ran = executor.ran.length;
  expect(ran).toBe(6);
  expect(executor.requests[2]?.broadcast).toEqual({ task: taskKey(JOB, 4, 1), bucket: 0 });
  const second = await drive(life());
  expect(executor.ran).toHaveLength(ran);
  expect(second.chance).toBe(first.chance);
  expect(second.summaries).toEqual(["recovered", "recovered"]);
  expect(second.result).toEqual(first.result);
  expect(second.result.metrics).toEqual({ first: 22 });
  expect(await textOf(second.result.artifacts[0]?.sha256 ?? "")).toBe("22\n26\n");
});

test("an input that changed between two lives fails the job, naming it", async () => {
  const { executor, life } = setUp();
  await drive(life());
  executor.identity = "second";
  await expect(drive(life())).rejects.toMatchObject({
    code: "InputChanged",
    message: expect.stringMatching(/input\.csv changed/) as string,
  });
});

test("a driver that makes other calls after a restart is found out", async () => {
  const { life } = setUp();
  await life().map(double, [1, 2]);
  await expect(life().map(double, [1, 2, 3])).rejects.toMatchObject({ code: "NotDeterministic" });
  await expect(life().shuffle(split, [1, 2], { buckets: 2 })).rejects.toMatchObject({ code: "NotDeterministic" });
});

test("once gives in the first life what a replay will give", async () => {
  const { life } = setUp();
  const compute = (): Value => ({ kept: 1, dropped: undefined });
  expect(await life().once(compute)).toStrictEqual({ kept: 1 });
  expect(await life().once(compute)).toStrictEqual({ kept: 1 });
  expect(await life().once(() => "of another time")).toStrictEqual({ kept: 1 });
});

test("a `once` that throws is not kept and is tried again", async () => {
  const { life } = setUp();
  await expect(
    life().once(() => {
      throw new Error("no luck");
    }),
  ).rejects.toThrow("no luck");
  expect(await life().once(() => 5)).toBe(5);
});

test("collect puts parts one after the other: bytes, text, and JSON lines of plain values", async () => {
  const { executor, life, textOf } = setUp();
  const job = life();
  const parts = await job.map(double, [0, 1, 2, 3, 4]);
  const made: Value[] = [
    new TextEncoder().encode("a\n"),
    "ü\n",
    { n: 1n, list: new Float64Array([1, 2]) },
    undefined,
    [1],
  ];
  for (const [index, value] of made.entries()) executor.values.set(chunkKey(taskKey(JOB, 0, index), 0), value);
  const { artifacts } = await job.collect({ "all.txt": parts, "empty.txt": await job.map(double, []) });
  expect(artifacts.map(({ name, bytes }) => [name, bytes > 0])).toEqual([
    ["all.txt", true],
    ["empty.txt", false],
  ]);
  expect(await textOf(artifacts[0]?.sha256 ?? "")).toBe('a\nü\n{"n":"1","list":[1,2]}\nnull\n[1]\n');
});

const alien = defineTask({ js: (n: number) => n });
test.each<[string, (job: Job) => Promise<unknown>, RegExp]>([
  ["a task that is not listed", (job) => job.map(alien, [1]), /not among its `tasks`/],
  ["no buckets", (job) => job.shuffle(split, [1], { buckets: 0 }), /buckets must be a positive integer/],
  [
    "a bucketed dataset that is mapped",
    async (job) => job.map(double, await job.shuffle(split, [1], { buckets: 2 })),
    /2 buckets must be reduced before it is mapped/,
  ],
  [
    "a bucketed dataset that is collected",
    async (job) => job.collect(await job.shuffle(split, [1], { buckets: 2 })),
    /must be reduced before it is collected/,
  ],
  ["a promise that is mapped", (job) => job.map(double, job.map(double, [1]) as never), /await it first/],
  ["a promise that is collected", (job) => job.collect(job.map(double, [1]) as never), /await it first/],
  ["something else that is collected", (job) => job.collect({ result: 5 } as never), /Only a dataset/],
  [
    "a part that nobody made",
    (job) => job.map(double, { parts: [{ ordinal: 9, partition: 0 }], buckets: 1, summaries: [] }),
    /no stage of this job has made/,
  ],
  [
    "more buckets than there are",
    async (job) => job.reduce(sum, { ...(await job.map(double, [1])), buckets: 3 }),
    /3 buckets names stage 0, which has 1/,
  ],
  ["a partition to fetch that is not there", async (job) => job.fetch(await job.map(double, [1]), 7), /no partition 7/],
  ["a broadcast of nobody's", (job) => job.map(double, [1], { broadcast: { ordinal: 5 } as never }), /job\.broadcast/],
])("%s is a clear error", async (_what, act, message) => {
  const { life } = setUp();
  await expect(act(life())).rejects.toMatchObject({
    code: "BadWorkload",
    message: expect.stringMatching(message) as string,
  });
});

test("a call that nobody waits for may reject", async () => {
  const { life } = setUp();
  void life().map(alien, [1]);
  // The test runner fails on an unhandled rejection.
  await new Promise((resolve) => setImmediate(resolve));
});
