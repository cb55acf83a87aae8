import { expect, test } from "vitest";
import type { JobView, Overview } from "../../shared/protocol/api.ts";
import type { NodeState } from "../node/state.ts";
import { textOf } from "../ui/element.ts";
import { defaultName, defaultSlots } from "./default-name.ts";
import { doneFacts, headline, jobRows, pageTitle, rerunBlocked, runningRows } from "./describe.ts";
import { joinMemory } from "./memory.ts";
import type { JoinActions, JoinModel } from "./model.ts";
import { initialModel } from "./model.ts";
import { joinView } from "./view.ts";

const job = (change: Partial<JobView>): JobView => ({
  id: "j1",
  workload: "string-count",
  state: "succeeded",
  createdAt: 1,
  seconds: 2,
  unit: "tuples",
  params: {},
  stages: [
    {
      ordinal: 2,
      label: "count",
      kind: "map",
      tasks: 64,
      done: 30,
      running: 4,
      retries: 0,
      units: 0,
      unitsPerSecond: 0,
      backends: {},
      reason: "",
      seconds: 1,
    },
  ],
  shares: [
    { node: "n1", name: "me", tasks: 3 },
    { node: "n2", name: "other", tasks: 9 },
  ],
  metrics: {},
  artifacts: [],
  error: null,
  ...change,
});
const overview = (...jobs: readonly JobView[]): Overview => ({ version: "1", now: 0, jobs, nodes: [], throughput: {} });
const state = (change: Partial<NodeState>): NodeState => ({
  phase: "working",
  detail: "",
  outdated: false,
  node: "n1",
  slots: 2,
  running: [],
  tasksDone: 42,
  tasksFailed: 0,
  unitsDone: 12_400_000,
  bytesReceived: 1_230_000,
  bytesSent: 640,
  backends: ["js"],
  lacks: [],
  ...change,
});
const model = (change: Partial<JoinModel>): JoinModel => ({
  ...initialModel("t", { threads: 8, secure: true }, { name: "me", slots: 7, relayOnly: false }, "on"),
  ...change,
});

test("every phase has its word", () => {
  const word = (change: Partial<NodeState>) => headline(model({ node: state(change) })).word;
  expect(headline(model({ wish: "off" })).sentence).toBe("Press Start to lend 7 of 8 threads of this device.");
  expect(headline(model({})).word).toBe("Starting");
  expect(word({ phase: "connecting" })).toBe("Connecting");
  expect(word({})).toBe("Ready");
  expect(word({ running: [{ attempt: "j1/2/4#0", task: "count", units: 0, seconds: 0 }] })).toBe("Working");
  expect(word({ phase: "paused" })).toBe("Paused");
  expect(word({ phase: "reconnecting" })).toBe("Reconnecting");
  expect(word({ phase: "leaving" })).toBe("Leaving");
  expect(word({ phase: "stopped", detail: "the token is wrong" })).toBe("Stopped");
  expect(word({ phase: "stopped", outdated: true })).toBe("Out of date");
});

test("a node that the user stopped can be started again; one that stopped itself says why", () => {
  expect(headline(model({ wish: "off", node: state({ phase: "stopped", detail: "left" }) })).word).toBe("Not started");
  expect(headline(model({ wish: "off", node: state({ phase: "leaving" }) })).word).toBe("Leaving");
  const thrown = headline(model({ node: state({ phase: "stopped", detail: "the token is wrong." }) }));
  expect(thrown.sentence).toBe("This device no longer takes part (the token is wrong).");
});

test("a reconnecting node tells its reason", () => {
  const { sentence } = headline(model({ node: state({ phase: "reconnecting", detail: "no answer" }) }));
  expect(sentence).toContain("(no answer)");
});

test("what runs is told in words, with its stage where that is known", () => {
  const running = [
    { attempt: "j1/2/13#1", task: "countTuples", units: 1_200_000, seconds: 3.4 },
    { attempt: "j9/0/0#0", task: "merge", units: 0, seconds: 0.2 },
  ];
  const rows = runningRows(model({ node: state({ running }), overview: overview(job({})) }));
  expect(rows).toEqual([
    {
      key: "j1/2/13#1",
      title: "Count tuples",
      where: "part 14 of 64 · string-count",
      soFar: "1.2 M tuples in 3.4 s",
      stage: { done: 30, running: 4, total: 64 },
    },
    { key: "j9/0/0#0", title: "Merge", where: "part 1", soFar: "200 ms", stage: null },
  ]);
});

test("work has a unit as long as all of it has the same", () => {
  const work = (...jobs: readonly JobView[]) =>
    doneFacts(model({ node: state({}), overview: overview(...jobs) })).find(({ label }) => label === "Work")?.value;
  expect(work(job({}))).toBe("12.4 M tuples");
  expect(work(job({}), job({ unit: "trees" }))).toBe("12.4 M");
  expect(work(job({}), job({ unit: "trees", shares: [] }))).toBe("12.4 M tuples");
});

test("a job tells this node's own share", () => {
  const share = (node: string | null) =>
    jobRows(model({ node: state({ node }), overview: overview(job({})) })).map((row) => row.share);
  expect(share("n1")).toEqual(["Your share: 3 tasks, 25 %"]);
  expect(share("n3")).toEqual([""]);
  expect(share(null)).toEqual([""]);
});

test("while a job runs none is started again, and the page says so", () => {
  expect(rerunBlocked(model({ overview: overview(job({})) }))).toBeUndefined();
  expect(rerunBlocked(model({ overview: overview(job({}), job({ id: "j2", state: "running" })) }))).toMatch(/runs/);
  expect(rerunBlocked(model({ overview: overview(job({})), rerunning: "j1" }))).toMatch(/being started/);
});

test("the title follows the state", () => {
  expect(pageTitle(model({ token: null }))).toBe("Kindling");
  expect(pageTitle(model({ node: state({ phase: "paused" }) }))).toBe("Paused · Kindling");
  const running = [{ attempt: "j1/2/4#0", task: "count", units: 0, seconds: 0 }];
  expect(pageTitle(model({ node: state({ running }) }))).toBe("Working on 1 task · Kindling");
});

const idle = new Proxy({}, { get: () => () => {} }) as JoinActions;
const text = (change: Partial<JoinModel>): string => joinView(model(change), idle).map(textOf).join("\n");

test("the page warns of what it costs, asks for a link without one, and explains plain http", () => {
  expect(text({ wish: "off" })).toContain("battery drains faster");
  expect(text({ token: null, tokenProblem: "No token in this." })).toContain("No token in this.");
  expect(text({ device: { threads: 2, secure: false } })).toContain("plain http");
  expect(text({ overviewProblem: "It does not answer." })).toContain("It does not answer.");
  expect(text({ overview: overview() })).toContain("No job has run yet");
});

function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

test("settings last, and never exceed the device", () => {
  const device = storage();
  const defaults = { name: "warm-birch-42", slots: 3, relayOnly: false };
  expect(joinMemory(device, storage(), defaults, 4).settings()).toEqual(defaults);
  joinMemory(device, storage(), defaults, 4).keepSettings({ name: "kitchen", slots: 4, relayOnly: false });
  expect(joinMemory(device, storage(), defaults, 2).settings()).toEqual({
    name: "kitchen",
    slots: 2,
    relayOnly: false,
  });
  device.setItem("kindling.join.slots", "-1");
  expect(joinMemory(device, storage(), defaults, 4).settings().slots).toBe(3);
});

test("a page reloads itself once, not in circles", () => {
  const memory = joinMemory(storage(), storage(), { name: "", slots: 1, relayOnly: false }, 1);
  expect(memory.claimReload(1_000_000)).toBe(true);
  expect(memory.claimReload(1_001_000)).toBe(false);
  expect(memory.claimReload(1_000_000 + 11 * 60_000)).toBe(true);
});

test("defaults leave a thread free and give nothing away", () => {
  expect([1, 2, 8].map(defaultSlots)).toEqual([1, 1, 7]);
  expect(defaultName({ below: () => 0 })).toBe("amber-alder-10");
});
