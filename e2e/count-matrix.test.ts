import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ShuffleMode } from "../shared/protocol/shuffle.ts";
import type { Value } from "../shared/value.ts";
import { zipfCsv } from "./bench/string-count/zipf.ts";
import { Cluster, hashes } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";

/** One result for each file: the same bytes for every backend, executor, number of partitions and way of the shuffle. */

const rows = (count: number, row: (index: number) => string): string =>
  `key,value\n${Array.from({ length: count }, (_, index) => row(index)).join("\n")}\n`;
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const WORDS = ["ä", "e\u0301", "é", "日本語", "🦊", 'say ""hi""', "a,b", "line\nbreak", "line\r\nbreak", " ", "=1+1"];

const FILES: Readonly<Record<string, string>> = {
  "Unicode, quotes and line breaks": rows(60_000, (i) => `${quoted(`${WORDS[i % WORDS.length]}${i % 997}`)},${i % 7}`),
  "empty keys, negative values and values at the limits": rows(60_000, (i) =>
    i < 2
      ? `limit,${i === 0 ? "9223372036854775807" : "-9223372036854775808"}`
      : `${i % 3 ? "" : i % 50},${(i % 9) - 4}`,
  ),
  "keys of 10 kB": rows(400, (i) => `${"x".repeat(9_990)}${i % 40},${i}`),
  "one key": rows(200_000, (i) => `only,${i}`),
  // Reversed digits, so that they come in no order.
  "all keys distinct": rows(200_000, (i) => `${[...String(i)].reverse().join("")}-${i},1`),
  "Zipf words": Array.from(zipfCsv({ words: 100_000, rows: 400_000, seed: 5 }), (part) =>
    Buffer.from(part).toString(),
  ).join(""),
};

interface Way {
  readonly backend: "js" | "wasm" | "webgpu" | "auto";
  readonly partitions: number;
  /** Absent: in a process of its own. */
  readonly shuffle?: ShuffleMode;
}
const WAYS: readonly Way[] = [
  { backend: "wasm", partitions: 1 },
  { backend: "wasm", partitions: 300 },
  { backend: "js", partitions: 5, shuffle: "relay" },
  { backend: "wasm", partitions: 7, shuffle: "peer" },
  { backend: "auto", partitions: 24, shuffle: "auto" },
];

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ host: "0.0.0.0" });
  await cluster.addNode("headless");
  await cluster.addTab("tab");
});
afterAll(() => cluster.close());

async function run(
  path: string,
  input: string,
  { backend, partitions, shuffle }: Way,
): Promise<Record<string, string>> {
  if (shuffle !== undefined) {
    const params: Record<string, Value> = { input, backend, partitions };
    const job = await cluster.result(await cluster.client.submit({ workload: "string-count", params, shuffle }));
    return hashes(job);
  }
  const options = ["--input", path, "--backend", backend, "--partitions", String(partitions), "--json"];
  const { code, stdout, stderr } = await kindling(["run", "string-count", ...options]);
  expect(code, stderr).toBe(0);
  return hashes(JSON.parse(stdout) as { artifacts: { name: string; sha256: string }[] });
}

test.each(Object.entries(FILES))("%s", { timeout: 120_000 }, async (name, content) => {
  const path = join(cluster.folder, `${name.replaceAll(/\W/g, "-")}.csv`);
  writeFileSync(path, content);
  const input = await cluster.upload("counts.csv", content);
  const expected = await run(path, input, { backend: "js", partitions: 1 });
  expect(Object.keys(expected)).toEqual(["counts.csv"]);
  for (const way of WAYS) expect({ way, ...(await run(path, input, way)) }).toEqual({ way, ...expected });
});
