import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type JobId, jobId } from "../../shared/ids.ts";
import type { JobResult } from "../../shared/sdk/job.ts";
import { Bench, settle, TestJournal } from "../executors/fabric/testing/bench.ts";
import type { FakeNode } from "../executors/fabric/testing/fake-node.ts";
import type { JobRecord } from "../store/journal.ts";
import { blobArtifacts } from "./artifacts.ts";
import { bundleWorkload } from "./bundle.ts";
import { JobManager } from "./manager.ts";

/** Its driver does what the parameter `act` says. */
const WORKLOAD = `
import { defineTask, defineWorkload, InputError, z } from "kindling";
const task = defineTask({ js: (n: number) => n });
const stray = defineTask({ js: (n: number) => n });
export default defineWorkload({
  name: "acts",
  unit: "deeds",
  params: z.object({ act: z.string(), parts: z.number().int().default(1) }),
  tasks: { task },
  drive(job, { act, parts }) {
    if (act === "throws at once") throw new InputError("data.csv, row 3: no");
    if (act === "crashes") throw new TypeError("oh");
    if (act === "returns nothing") return undefined as never;
    return (async () => {
      if (act === "never waits") { void job.map(task, [1, 2]); void job.map(stray, [1]); throw new InputError("left early"); }
      const made = await job.map(task, Array.from({ length: parts }, (_, n) => n));
      return job.collect({ "out.txt": made }, { big: 12345678901234567890n });
    })();
  },
});`;

const bundled = (async () => {
  const file = join(await mkdtemp(join(tmpdir(), "kindling-test-")), "acts.ts");
  await writeFile(file, WORKLOAD);
  return bundleWorkload(file);
})();

/** A life of a coordinator, on what an earlier one left. */
async function life(before?: { readonly bench: Bench }) {
  const { code, hash } = await bundled;
  const journal = new TestJournal();
  if (before) {
    for (const job of before.bench.journal.jobs()) {
      journal.putJob(job);
      for (const output of before.bench.journal.outputs(job.id)) journal.putOutput(output);
      for (const [ordinal, entry] of before.bench.journal.entries(job.id)) journal.putEntry(job.id, ordinal, entry);
    }
  }
  const bench = new Bench(journal);
  const { fabric, log } = bench;
  const blobs = before?.bench.blobs ?? bench.blobs;
  await blobs.put(code, hash);
  const artifacts = blobArtifacts(blobs);
  const jobs = new JobManager({
    version: "1",
    fabric,
    spark: null,
    journal,
    blobs,
    artifacts,
    log,
    builtins: [],
    joinLink: () => "link",
  });
  const submit = (act: string, params = {}): Promise<JobId> =>
    jobs.submit({ workload: "acts", bundle: hash, params: { act, ...params } });
  const textOf = async (id: JobId): Promise<string> => {
    const parts = [];
    for await (const part of jobs.artifact(id, "out.txt")?.content ?? []) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  return { bench, jobs, blobs, submit, textOf };
}

async function finishAll(node: FakeNode, value: string): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await settle();
    while (node.leases.length > 0) node.finish([value]);
  }
}

test("a job runs, keeps what is shown of it across a restart, and can be run again", async () => {
  const first = await life();
  const node = await first.bench.node();
  const id = await first.submit("works", { parts: 3 });
  await settle();
  expect(first.jobs.get(id)).toMatchObject({ state: "running", stages: [{ tasks: 3, done: 0, running: 3 }] });
  await finishAll(node, "x");
  await first.jobs.ended(id);
  const view = first.jobs.get(id);
  expect(view).toMatchObject({
    state: "succeeded",
    unit: "deeds",
    stages: [{ tasks: 3, done: 3 }],
    shares: [{ name: "fake", tasks: 3 }],
    metrics: { big: 12345678901234567890n },
    artifacts: [{ name: "out.txt", bytes: 3 }],
    error: null,
  });
  // Only what is shown stays: a replay is over.
  expect(first.bench.journal.outputs(id)).toEqual([]);
  expect(first.bench.journal.entries(id).size).toBe(0);

  const second = await life(first);
  await second.jobs.start();
  expect(second.jobs.get(id)).toEqual(view);
  expect(await second.textOf(id)).toBe("xxx");
  const other = await second.bench.node();
  const again = await second.jobs.rerun(id);
  await finishAll(other, "y");
  await second.jobs.ended(again);
  expect(await second.textOf(again)).toBe("yyy");
  expect(second.jobs.overview()).toMatchObject({ joinLink: "link", jobs: [{ id: again }, { id }] });
});

test.each([
  ["throws at once", "BadInput", "data.csv, row 3: no"],
  ["crashes", "DriverFailed", "The driver of acts failed: TypeError: oh"],
  ["returns nothing", "BadWorkload", "acts: its driver must return what job.collect gives"],
  ["never waits", "BadInput", "left early"],
])("a driver that %s fails its job and nothing else", async (act, code, message) => {
  const { bench, jobs, submit } = await life();
  await bench.node();
  const id = await submit(act);
  await jobs.ended(id);
  await settle();
  expect(jobs.get(id)).toMatchObject({ state: "failed", error: { code, message } });
  expect(bench.journal.jobs()).toMatchObject([{ id, status: "failed" }]);
});

test("what cannot be run is refused by code", async () => {
  const { jobs, submit } = await life();
  const missing = "c".repeat(64);
  await expect(jobs.submit({ workload: "nothing", params: {} })).rejects.toMatchObject({ code: "UnknownWorkload" });
  await expect(jobs.submit({ workload: "x", bundle: missing, params: {} })).rejects.toMatchObject({
    code: "BlobMissing",
  });
  await expect(submit("works", { parts: "many" })).rejects.toMatchObject({
    code: "BadParams",
    message: expect.stringMatching(/parts/) as string,
  });
  await expect(submit("works", { colour: 1 })).rejects.toMatchObject({
    code: "BadParams",
    message: expect.stringMatching(/colour/) as string,
  });
  await expect(jobs.rerun(jobId("j-none"))).rejects.toMatchObject({ code: "NotFound" });
  await expect(jobs.cancel(jobId("j-none"))).rejects.toMatchObject({ code: "NotFound" });
  expect(jobs.overview().jobs).toEqual([]);
});

test("a job that could not be written is refused, and no restart finds it", async () => {
  const { bench, jobs, submit } = await life();
  bench.journal.isFull = true;
  await expect(submit("works")).rejects.toMatchObject({ code: "StorageFull" });
  expect(bench.journal.jobs()).toEqual([]);
  expect(jobs.overview().jobs).toEqual([]);
});

test("cancelling stops the nodes, is journalled, and keeps what was shown", async () => {
  const { bench, jobs, submit } = await life();
  const node = await bench.node();
  const id = await submit("works", { parts: 2 });
  await settle();
  node.finish(["x"]);
  await settle();
  await jobs.cancel(id);
  await jobs.ended(id);
  await settle();
  expect(node.received.at(-1)).toEqual({ type: "forget", job: id });
  expect(node.leases).toEqual([]);
  expect(bench.journal.jobs()).toMatchObject([{ id, status: "cancelled" }]);
  expect(jobs.get(id)).toMatchObject({
    state: "cancelled",
    error: { code: "Cancelled" },
    stages: [{ done: 1, tasks: 2 }],
  });
  await expect(jobs.cancel(id)).rejects.toMatchObject({ code: "Conflict" });
});

test("a restart takes up what was running, and computes only what is missing", async () => {
  const first = await life();
  const node = await first.bench.node();
  const id = await first.submit("works", { parts: 3 });
  await settle();
  node.finish(["a"]);
  node.finish(["b"]);
  await settle();
  first.jobs.close();

  const second = await life(first);
  await second.jobs.start();
  const other = await second.bench.node();
  expect(other.leases).toHaveLength(1);
  await finishAll(other, "c");
  await second.jobs.ended(id);
  expect(await second.textOf(id)).toBe("abc");
});

test("a coordinator that stops writes nothing more of its jobs", async () => {
  const { bench, jobs, submit } = await life();
  const id = await submit("works");
  await settle();
  jobs.close();
  bench.fabric.end(id, "failed");
  await jobs.ended(id);
  expect(bench.journal.jobs()).toMatchObject([{ id, status: "running" }]);
});

test("a job waits for space to make its result, and does not fail", async () => {
  const { bench, jobs, submit, textOf } = await life();
  const node = await bench.node();
  const id = await submit("works");
  await settle();
  bench.journal.isFull = true;
  node.finish(["x"]);
  await settle();
  await bench.later(5_000);
  expect(jobs.get(id)?.state).toBe("running");
  bench.journal.isFull = false;
  await bench.later(500);
  await jobs.ended(id);
  expect(await textOf(id)).toBe("x");
});

test("the oldest ended jobs go with their results, unless another job has the same", async () => {
  const before = await life();
  const result = async (text: string): Promise<JobResult["artifacts"]> => {
    const { hash, bytes } = await before.blobs.put(new TextEncoder().encode(text));
    return [{ name: "out.txt", bytes, sha256: hash }];
  };
  const [own, common] = [await result("own"), await result("common")];
  const { hash } = await bundled;
  for (let index = 0; index < 200; index++) {
    const record: JobRecord = {
      id: jobId(`j-${index}`),
      spec: { workload: "acts", bundle: hash, params: { act: "x" } },
      status: "failed",
      createdAt: index,
      endedAt: index,
      outcome: { stages: [], shares: [], seconds: 0, unit: "deeds", artifacts: index === 0 ? own : common } as never,
    };
    before.bench.journal.putJob(record);
  }
  const { bench, jobs, blobs, submit } = await life(before);
  await jobs.start();
  const running = await submit("works");
  expect(jobs.overview().jobs).toHaveLength(100);
  for (const act of ["crashes", "crashes"]) await jobs.ended(await submit(act));
  await settle();
  expect([0, 1, 2].map((index) => jobs.get(jobId(`j-${index}`)) === undefined)).toEqual([true, true, false]);
  expect(bench.journal.jobs()).toHaveLength(201);
  expect(await blobs.has(own[0]?.sha256 as never)).toBe(false);
  expect(await blobs.has(common[0]?.sha256 as never)).toBe(true);
  expect(jobs.get(running)?.state).toBe("running");
});
