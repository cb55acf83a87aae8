import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, hashes } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";

/** A user's own file, in a folder with nothing else: it imports only "kindling". */
const WORKLOAD = `
import { defineTask, defineWorkload, z } from "kindling";

const squares = defineTask({
  js: ({ from, to }: { from: number; to: number }) => {
    const values = [];
    for (let n = from; n < to; n++) values.push(n * n);
    return values;
  },
});

const byLastDigit = defineTask({
  js: (values: readonly number[], { buckets }) => {
    const out: number[][] = Array.from({ length: buckets }, () => []);
    for (const value of values) out[value % 10 % buckets]!.push(value);
    return out;
  },
});

const sum = defineTask({
  js: (parts: readonly (readonly number[])[], { partition }) => ({ partition, sum: parts.flat().reduce((a, b) => a + b, 0) }),
});

export default defineWorkload({
  name: "digit-sums",
  params: z.object({ upTo: z.number().int().positive().default(1000) }),
  tasks: { squares, byLastDigit, sum },
  async drive(job, { upTo }) {
    const ranges = Array.from({ length: 8 }, (_, index) => ({ from: (index * upTo) >> 3, to: ((index + 1) * upTo) >> 3 }));
    const values = await job.map(squares, ranges);
    const shards = await job.shuffle(byLastDigit, values, { buckets: 10 });
    const sums = await job.reduce(sum, shards);
    return job.collect(sums, { upTo });
  },
});
`;

/** Its second stage gives back what it was given, alone and within more. */
const HANDS_ON = `
import { defineTask, defineWorkload, z } from "kindling";

const make = defineTask({ js: (size: number) => new Uint8Array(size).fill(65) });
const same = defineTask({ js: (bytes: Uint8Array) => bytes });
const wrap = defineTask({ js: (bytes: Uint8Array) => ({ bytes }) });
const text = defineTask({ js: (wrapped: { bytes: Uint8Array }) => new TextDecoder().decode(wrapped.bytes) });

export default defineWorkload({
  name: "hands-on",
  params: z.object({}),
  tasks: { make, same, wrap, text },
  async drive(job) {
    const made = await job.map(make, [10, 100_000]);
    const wrapped = await job.map(wrap, await job.map(same, made));
    return job.collect(await job.map(text, wrapped));
  },
});
`;

/** The same, without a cluster. */
function expectedLines(upTo: number): string {
  const sums = new Array<number>(10).fill(0);
  for (let n = 0; n < upTo; n++) sums[(n * n) % 10] = (sums[(n * n) % 10] ?? 0) + n * n;
  return sums.map((sum, partition) => `${JSON.stringify({ partition, sum })}\n`).join("");
}

let cluster: Cluster;
let folder: string;
beforeAll(async () => {
  cluster = await Cluster.start();
  folder = join(cluster.folder, "empty");
  mkdirSync(folder);
  writeFileSync(join(folder, "digits.ts"), WORKLOAD);
  writeFileSync(join(folder, "hands-on.ts"), HANDS_ON);
});
afterAll(() => cluster.close());

async function run(args: readonly string[]): Promise<{ text: string; hash: string | undefined }> {
  const { code, stdout, stderr } = await kindling(
    ["run", "./digits.ts", "--up-to", "5000", "--out", "out.jsonl", "--json", ...args],
    { cwd: folder },
  );
  expect(code, stderr).toBe(0);
  const summary = JSON.parse(stdout) as {
    artifacts: { name: string; sha256: string }[];
    metrics: Record<string, unknown>;
  };
  // What was moved between nodes is the executor's to tell; all else is the workload's.
  const { shuffle: _, ...own } = summary.metrics;
  expect(own).toEqual({ upTo: 5000 });
  return { text: readFileSync(join(folder, "out.jsonl"), "utf8"), hash: hashes(summary)["result"] };
}

test("on every executor, with its own map and shuffle", async () => {
  const local = await run(["--executor", "local"]);
  expect(local.text).toBe(expectedLines(5000));

  const remote = ["--executor", "fabric", "--on", cluster.url, "--token", cluster.operator];
  await cluster.addNode("headless");
  expect(await run(remote)).toEqual(local);

  await cluster.addTab("tab");
  await cluster.nodes[0]?.end("SIGTERM");
  await cluster.gone("headless");
  expect(await run(remote)).toEqual(local);
});

test("a result goes to standard output, and then nothing else does", async () => {
  const { code, stdout, stderr } = await kindling(["run", "./digits.ts", "--out", "-"], { cwd: folder });
  expect(code, stderr).toBe(0);
  expect(stdout).toBe(expectedLines(1000));
  expect(stderr).toContain("sha256");
});

// Outputs are shared between threads, or moved where there is little memory.
test.each([[[]], [["--memory", "256M"]]])("a task may give back what it was given: %j", async (args) => {
  const { code, stderr } = await kindling(["run", "./hands-on.ts", "--out", "as.txt", "--json", ...args], {
    cwd: folder,
  });
  expect(code, stderr).toBe(0);
  expect(readFileSync(join(folder, "as.txt"), "utf8")).toBe("A".repeat(100_010));
});
