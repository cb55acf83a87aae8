import { expect, test } from "vitest";
import type { JobView, StageView } from "../../shared/protocol/api.ts";
import { progressLine } from "./progress.ts";
import { printable, summarize, toJson } from "./summary.ts";

const aStage = (more: Partial<StageView>): StageView => ({
  ordinal: 0,
  label: "count",
  kind: "map",
  tasks: 4,
  done: 4,
  running: 0,
  retries: 0,
  units: 0,
  unitsPerSecond: 0,
  backends: { wasm: 3, js: 1 },
  reason: "js alone",
  seconds: 1,
  ...more,
});
const aJob = (more: Partial<JobView> = {}): JobView => ({
  id: "j-1",
  workload: "string-count",
  state: "succeeded",
  createdAt: 0,
  seconds: 1.234,
  unit: "tuples",
  params: {},
  stages: [aStage({}), aStage({ ordinal: 1, label: "merge", backends: { js: 1 } })],
  shares: [],
  metrics: { tuples: 1_000_000, mse: 0.123456789, big: 12345678901234567890n, top: [{ key: "a", sum: 2 }], none: null },
  artifacts: [{ name: "counts.csv", bytes: 1234, sha256: "ab" }],
  error: null,
  ...more,
});

test("the summary names job, backends by use, metrics and files", () => {
  const summary = summarize(aJob(), "local", (name) => `/out/${name}`);
  expect(summary).toMatchObject({ job: "j-1", workload: "string-count", executor: "local", backend: "wasm+js" });
  expect(JSON.parse(toJson(summary))).toMatchObject({
    seconds: 1.234,
    metrics: { tuples: 1_000_000, mse: 0.123456789, big: "12345678901234567890" },
    artifacts: [{ name: "counts.csv", path: "/out/counts.csv", bytes: 1234, sha256: "ab" }],
  });
  expect(toJson(summary)).not.toContain("\n");
});

test("the summary says why a backend ran a stage that had a choice, and names few stages of many alike", () => {
  const measured = "auto: wasm 0.3 ms, js 8.0 ms on the probe";
  const stages = ["count", "count again", "sample keys", "more"].map((label) => aStage({ label, reason: measured }));
  const merge = aStage({ label: "merge", reason: "wasm was asked for" });
  const { reason } = summarize(aJob({ stages: [aStage({}), ...stages, merge] }), "local", () => null);
  expect(reason).toBe(`count, count again, sample keys and 1 more: ${measured}; merge: wasm was asked for`);
  expect(printable(summarize(aJob({ stages: [merge] }), "local", () => null)).split("\n")[1]).toBe(
    "  backend: merge: wasm was asked for",
  );
});

test("for people, numbers are rounded and lists have lines", () => {
  const lines = printable(summarize(aJob(), "fabric", () => null)).split("\n");
  expect(lines).toEqual([
    "string-count: 1.23 s (fabric, wasm+js)",
    "  tuples: 1,000,000",
    "  mse: 0.123457",
    "  big: 12345678901234567890",
    "  top:",
    "    a  2",
    "  none: null",
    "  counts.csv  1,234 bytes  sha256 ab",
  ]);
});

test("progress is that of the first stage that is not done, and names what follows the last one", () => {
  const merge = aStage({ label: "merge", done: 1, unitsPerSecond: 12_345_678, retries: 2 });
  const line = "string-count: merge 1/4 tasks (25 %), 12.3 M tuples/s, 2 retried, 1.2 s";
  expect(progressLine(aJob({ stages: [aStage({}), merge] }))).toBe(line);
  // Lost outputs are made again while the merge waits for them.
  expect(progressLine(aJob({ stages: [aStage({ label: "count", done: 3 }), merge] }))).toContain("count 3/4 tasks");
  expect(progressLine(aJob({ stages: [] }))).toBe("string-count: starting");
  expect(progressLine(aJob({ stages: [aStage({})] }))).toBe("string-count: collecting results, 1.2 s");
});
