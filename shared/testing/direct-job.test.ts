import { expect, test } from "vitest";
import { defineTask } from "../sdk/task.ts";
import { defineWorkload, file, splitSource, z } from "../sdk/index.ts";
import type { SourceRange } from "../sdk/task.ts";
import { runDirect } from "./direct-job.ts";

const read = defineTask<SourceRange, readonly number[][], undefined, number>({
  async js(range, context) {
    const target = new Uint8Array(range.end - range.start);
    await context.open(range.source).readInto(target, range.start);
    context.report(target.byteLength);
    context.progress(target.byteLength);
    return [[...target].filter((byte) => byte % 2 === 0), [...target].filter((byte) => byte % 2 === 1)];
  },
});
const join = defineTask<readonly number[][], string>({ js: (parts) => `${parts.flat().join(" ")}\n` });

const workload = defineWorkload({
  name: "even-odd",
  params: z.object({ input: file(), buckets: z.number().default(2) }),
  tasks: { read, join },
  async drive(job, params) {
    const source = await job.source(params.input);
    const split = await job.shuffle(read, splitSource(source, 2), { buckets: params.buckets });
    const joined = await job.reduce(join, split);
    return job.collect({ "out.txt": joined }, { bytes: split.summaries.reduce((total, size) => total + size, 0) });
  },
});

test.each([false, true])("runs map, shuffle and reduce in order (asynchronous reads: %o)", async (asyncReads) => {
  const files = { in: Uint8Array.of(1, 2, 3, 4, 6) };
  const result = await runDirect(workload, { input: "in" }, { backend: "js", files, asyncReads });
  expect(new TextDecoder().decode(result.artifacts.get("out.txt"))).toBe("2 4 6\n1 3\n");
  expect(result.metrics).toEqual({ bytes: 5 });
  expect(result.progress).toBe(5);
  expect(result.stages.map((stage) => stage.label)).toEqual(["read", "join"]);
});

test("refuses a shuffle whose task returns another number of buckets", async () => {
  const files = { in: Uint8Array.of(1) };
  await expect(runDirect(workload, { input: "in", buckets: 3 }, { backend: "js", files })).rejects.toThrow("3 buckets");
});

test("names a file that was not given", async () => {
  await expect(runDirect(workload, { input: "none" }, { backend: "js" })).rejects.toThrow("none");
});
