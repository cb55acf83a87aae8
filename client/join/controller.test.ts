import { expect, test, vi } from "vitest";
import { KindlingError } from "../../shared/errors.ts";
import type { NodeControl, NodeState } from "../node/state.ts";
import type { JoinWorld } from "./controller.ts";
import { createJoin } from "./controller.ts";
import { joinMemory } from "./memory.ts";
import type { JoinModel } from "./model.ts";

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const TOKEN = "t".repeat(43);
const STATE: NodeState = {
  phase: "working",
  detail: "",
  outdated: false,
  node: "n1",
  slots: 1,
  running: [],
  tasksDone: 0,
  tasksFailed: 0,
  unitsDone: 0,
  bytesReceived: 0,
  bytesSent: 0,
  backends: ["js"],
  lacks: [],
};

/** What outlives a reload: the two storages. */
const browser = () => {
  const area = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
  };
  return { device: area(), session: area() };
};

function load({ device, session }: ReturnType<typeof browser>, change: Partial<JoinWorld> = {}) {
  const calls: string[] = [];
  let listener: (state: NodeState) => void = () => {};
  const control: NodeControl = {
    start: async ({ name, slots, token }) => void calls.push(`start ${name} ${slots} ${token === TOKEN}`),
    pause: async () => void calls.push("pause"),
    resume: async () => void calls.push("resume"),
    stop: async () => void calls.push("stop"),
    subscribe: async (next) => {
      calls.push("subscribe");
      listener = next;
    },
  };
  const reload = vi.fn();
  let model: JoinModel | undefined;
  const join = createJoin({
    clock: { now: () => 0, after: () => () => {} },
    today: () => 1_000_000,
    origin: "http://host",
    device: { threads: 4, secure: true },
    memoryBytes: 1,
    tokens: { take: () => TOKEN, keep: () => {}, forget: () => {} },
    memory: joinMemory(device, session, { name: "birch", slots: 3, relayOnly: false }, 4),
    node: () => control,
    api: () => ({
      overview: async () => ({ version: "1", now: 0, jobs: [], nodes: [], throughput: {} }),
      rerun: async () => "j2",
    }),
    reload,
    changed: (next) => void (model = next),
    ...change,
  });
  join.open();
  return {
    join,
    calls,
    reload,
    say: (state: Partial<NodeState>) => listener({ ...STATE, ...state }),
    model: () => model,
  };
}

test("nothing starts without a click", async () => {
  const page = load(browser());
  await settled();
  expect(page.calls).toEqual([]);
});

test("a volunteer may stay unknown to the others, also after a reload", async () => {
  const tab = browser();
  const starts: (boolean | undefined)[] = [];
  const node = () =>
    ({
      start: async ({ relayOnly }) => void starts.push(relayOnly),
      subscribe: async () => {},
    }) as Partial<NodeControl> as NodeControl;
  const page = load(tab, { node });
  page.join.actions.start();
  await settled();
  page.join.actions.setRelayOnly(true);
  page.join.actions.start();
  await settled();
  // A reload goes on by itself.
  load(tab, { node });
  await settled();
  expect(starts).toEqual([false, true, true]);
});

test("start, pause, resume and stop reach the node", async () => {
  const page = load(browser());
  page.join.actions.setName("kitchen");
  page.join.actions.setSlots(2);
  page.join.actions.start();
  await settled();
  page.join.actions.pause();
  page.join.actions.resume();
  page.join.actions.stop();
  await settled();
  page.join.actions.start();
  await settled();
  expect(page.calls).toEqual(["subscribe", "start kitchen 2 true", "pause", "resume", "stop", "start kitchen 2 true"]);
});

test("a reload goes on where the tab was: working, paused, or stopped", async () => {
  const tab = browser();
  load(tab).join.actions.start();
  const working = load(tab);
  await settled();
  expect(working.calls).toEqual(["subscribe", "start birch 3 true"]);
  working.join.actions.pause();
  const paused = load(tab);
  await settled();
  expect(paused.calls).toEqual(["subscribe", "start birch 3 true", "pause"]);
  paused.join.actions.stop();
  const stopped = load(tab);
  await settled();
  expect(stopped.calls).toEqual([]);
});

test("an outdated tab reloads once; still outdated after that, it waits for the user", async () => {
  const tab = browser();
  const first = load(tab);
  first.join.actions.start();
  await settled();
  first.say({ phase: "stopped", outdated: true });
  first.say({ phase: "stopped", outdated: true });
  expect(first.reload).toHaveBeenCalledOnce();
  const second = load(tab);
  await settled();
  second.say({ phase: "stopped", outdated: true });
  expect(second.reload).not.toHaveBeenCalled();
  second.join.actions.reload();
  expect(second.reload).toHaveBeenCalledOnce();
});

test("a worker that cannot be loaded is told, and Start tries a new one", async () => {
  const node = vi.fn((): NodeControl => {
    const broken = () => Promise.reject(new Error("The node's worker failed"));
    return { start: broken, pause: broken, resume: broken, stop: broken, subscribe: broken };
  });
  const page = load(browser(), { node });
  page.join.actions.start();
  await settled();
  expect(page.model()?.problem).toBe("The node's worker failed");
  page.join.actions.start();
  await settled();
  expect(node).toHaveBeenCalledTimes(2);
});

test("a refused rerun is told at the jobs", async () => {
  const refused = new KindlingError("Conflict", "A job is running");
  const page = load(browser(), {
    api: () => ({ overview: () => new Promise(() => {}), rerun: () => Promise.reject(refused) }),
  });
  page.join.actions.rerun("j1");
  expect(page.model()?.rerunning).toBe("j1");
  await settled();
  expect(page.model()).toMatchObject({ rerunning: null, rerunProblem: "A job is running" });
});

test("a token that is not accepted leads back to the question for a link", async () => {
  const page = load(browser(), {
    api: () => ({ overview: () => Promise.reject(new KindlingError("Unauthorized", "no")), rerun: async () => "" }),
  });
  await settled();
  expect(page.model()).toMatchObject({
    token: null,
    tokenProblem: expect.stringContaining("Ask for a new one") as string,
  });
});
