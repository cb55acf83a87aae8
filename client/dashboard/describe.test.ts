import { expect, test } from "vitest";
import type { JobView, NodeView, Overview, StageView } from "../../shared/protocol/api.ts";
import { textOf } from "../ui/element.ts";
import { jobCards, nodeRows, pageTitle } from "./describe.ts";
import type { DashboardActions } from "./model.ts";
import { initialModel } from "./model.ts";
import { dashboardView } from "./view.ts";

const stage = (change: Partial<StageView>): StageView => ({
  ordinal: 0,
  label: "countTuples",
  kind: "shuffle",
  tasks: 10,
  done: 4,
  running: 2,
  retries: 1,
  units: 4e6,
  unitsPerSecond: 2e6,
  backends: { wasm: 3, js: 1 },
  reason: "auto: wasm 12 ms, js 80 ms",
  seconds: 2,
  ...change,
});
const job = (change: Partial<JobView>): JobView => ({
  id: "j1",
  workload: "string-count",
  state: "running",
  createdAt: 1_000,
  seconds: 2,
  unit: "tuples",
  params: {},
  stages: [stage({})],
  shares: [],
  metrics: {},
  artifacts: [],
  error: null,
  ...change,
});
const overview = (jobs: readonly JobView[], nodes: readonly NodeView[] = []): Overview => ({
  version: "1",
  now: 61_000,
  jobs,
  nodes,
  throughput: {},
});
const cards = (...jobs: readonly JobView[]) => jobCards({ overview: overview(jobs), unfolded: {} });

test("a running job tells progress, rate and retries over its stages", () => {
  const [card] = cards(
    job({ stages: [stage({}), stage({ ordinal: 1, done: 0, tasks: 10, running: 0, unitsPerSecond: 0 })] }),
  );
  expect(card).toMatchObject({
    state: "Running",
    percent: "20 %",
    rate: "2 M tuples/s",
    retries: "2",
    ago: "1 min ago",
    progress: { done: 4, running: 2, total: 20 },
  });
  expect(card?.stages[0]).toMatchObject({
    title: "Count tuples (shuffle)",
    tasks: "4 of 10 tasks · 1 retry",
    figures: "4 M tuples · 2 M tuples/s · 2.0 s",
    how: "WebAssembly × 3, JavaScript × 1 · auto: wasm 12 ms, js 80 ms",
  });
});

test("a finished stage tells its average, not a rate of now", () => {
  const [card] = cards(
    job({ state: "succeeded", stages: [stage({ done: 10, units: 9e6, seconds: 3, unitsPerSecond: 0 })] }),
  );
  expect(card?.stages[0]?.figures).toBe("9 M tuples · 3 M tuples/s · 3.0 s");
  expect(card).toMatchObject({ percent: "100 %", rate: "" });
});

test("the newest job comes first; those that run are open, and what the user did wins", () => {
  const jobs = [
    job({ id: "a", createdAt: 1, state: "failed" }),
    job({ id: "b", createdAt: 3, state: "failed" }),
    job({ id: "c", createdAt: 2 }),
  ];
  const open = (unfolded: Record<string, boolean>) =>
    jobCards({ overview: overview(jobs), unfolded }).map(({ id, open }) => [id, open]);
  expect(open({})).toEqual([
    ["b", true],
    ["c", true],
    ["a", false],
  ]);
  expect(open({ b: false, a: true })).toEqual([
    ["b", false],
    ["c", true],
    ["a", true],
  ]);
});

test("metrics are shown by their kind, the top keys apart", () => {
  const [card] = cards(
    job({
      metrics: {
        mse: 0.48523,
        fitSeconds: 1.402,
        sum: 550_012_345,
        top: [
          ["QXZ", 33_021],
          ["", "9007199254740993"],
        ],
      },
    }),
  );
  expect(card?.metrics.map(({ name, value }) => [name, value])).toEqual([
    ["MSE", "0.4852"],
    ["Fit time", "1.4 s"],
    ["Sum", "550,012,345"],
  ]);
  expect(card?.top.map(({ name, text }) => [name, text])).toEqual([
    ["QXZ", "33,021"],
    ["(empty)", "9,007,199,254,740,993"],
  ]);
});

test("top keys may be objects too, and what is neither is left out", () => {
  const [card] = cards(job({ metrics: { top: [{ key: "A", sum: 3 }, 7, "x"] } }));
  expect(card?.top.map(({ name, value }) => [name, value])).toEqual([["A", 3]]);
});

test("shares are ordered by tasks and add up", () => {
  const shares = [
    { node: "n1", name: "one", tasks: 1 },
    { node: "n2", name: "two", tasks: 3 },
  ];
  expect(cards(job({ shares }))[0]?.shares.map(({ name, text }) => [name, text])).toEqual([
    ["two", "3 tasks · 75 %"],
    ["one", "1 task · 25 %"],
  ]);
});

const node = (change: Partial<NodeView>): NodeView => ({
  id: "n1",
  name: "mill",
  kind: "headless",
  state: "ready",
  slots: 2,
  running: 0,
  tasksDone: 5,
  backends: ["js", "wasm"],
  lacks: [],
  joinedAt: 1_000,
  ...change,
});

test("a node's state follows from what it does", () => {
  const states = [
    node({}),
    node({ running: 1 }),
    node({ state: "paused", slots: 0 }),
    node({ state: "leaving", running: 1 }),
  ];
  expect(nodeRows({ overview: overview([], states) }).map(({ state, slots }) => [state, slots.text])).toEqual([
    ["Ready", "0 of 2 slots busy"],
    ["Working", "1 of 2 slots busy"],
    ["Paused", "Offers no slots now"],
    ["Leaving", "1 of 2 slots busy"],
  ]);
});

test("the title tells what runs, and a lost connection", () => {
  const model = { ...initialModel("t"), overview: overview([job({})]) };
  expect(pageTitle(model)).toBe("40 % string-count · Kindling");
  expect(pageTitle({ ...model, connection: { kind: "lost", problem: "" } })).toBe("No connection · Kindling");
  expect(pageTitle({ ...model, overview: overview([]) })).toBe("Kindling dashboard");
});

/** Actions that nobody presses. */
const idle = new Proxy({}, { get: () => () => {} }) as DashboardActions;
const text = (model: Parameters<typeof dashboardView>[0]): string =>
  dashboardView(model, idle, "http://host").map(textOf).join("\n");

test("each state of the page explains itself", () => {
  expect(text(initialModel(null))).toContain("The dashboard needs its token");
  expect(text(initialModel("t"))).toContain("Asking the coordinator");
  const empty = { ...initialModel("t"), overview: overview([]), connection: { kind: "live" } as const };
  expect(text(empty)).toContain("No job yet");
  expect(text(empty)).toContain("No node has joined");
  const lost = text({ ...empty, connection: { kind: "lost", problem: "It does not answer." } });
  expect(lost).toContain("It does not answer. What you see is from before.");
});

test("markup in names, metrics, errors and log lines stays text", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const bad = job({
    workload: evil,
    state: "failed",
    metrics: { note: evil, top: [[evil, 1]] },
    error: { code: "X", message: evil },
    shares: [{ node: "n", name: evil, tasks: 1 }],
  });
  const lines = [{ sequence: 1, at: 0, level: "info", message: evil }] as const;
  const shown = text({
    ...initialModel("t"),
    overview: overview([bad], [node({ name: evil, lacks: [evil] })]),
    log: { job: "j1", lines, loaded: true, complete: true, problem: "" },
  });
  expect(shown.split(evil)).toHaveLength(9);
});

test("a job on Spark names it, and links its page as long as it runs", () => {
  const spark = { name: "Spark 3.5.9, local[2]", application: "local-7", page: "http://127.0.0.1:4040" };
  const text = "Spark 3.5.9, local[2], application local-7";
  const row = (fields: Partial<JobView>) => cards(job(fields))[0]?.spark;
  expect(row({ spark })).toEqual({ text, page: spark.page, starting: false });
  expect(row({ spark, state: "succeeded" })).toEqual({ text, page: null, starting: false });
  expect(row({ spark: { ...spark, page: "javascript:alert(1)" } })).toMatchObject({ text, page: null });
  expect(row({ spark: { ...spark, engine: "rdd" } })?.text).toBe(`${text}, Spark’s own rdd`);
  expect(row({})).toBeNull();
});

test("a job whose Spark is still starting says so, and where it is to run", () => {
  const spark = { name: "Spark, emr:j-1", application: null, page: null };
  const starting = { text: "Spark, emr:j-1", page: null, starting: true };
  expect(cards(job({ spark, stages: [] }))[0]?.spark).toEqual(starting);
  expect(text({ ...initialModel("t"), overview: overview([job({ spark, stages: [] })], []) })).toContain(
    "No stage yet: Spark is starting.",
  );
  expect(cards(job({ spark, state: "failed" }))[0]?.spark).toEqual({ ...starting, starting: false });
});

test("a job that was cancelled has not failed", () => {
  const error = { code: "Cancelled", message: "The job was cancelled" };
  expect(cards(job({ state: "cancelled", error }))[0]?.error).toBe("");
  expect(cards(job({ state: "failed", error }))[0]?.error).toBe("The job was cancelled (Cancelled)");
});
