import { expect, test } from "vitest";
import { type AttemptId, attemptId, jobId, nodeId, taskKey } from "../../shared/ids.ts";
import type { CloseReason } from "../../shared/protocol/channel.ts";
import { INLINE_BYTES, type TaskResult } from "../../shared/protocol/messages.ts";
import { philoxRng, type Rng } from "../../shared/rng.ts";
import {
  DRAIN_LIMIT,
  GREETING_LIMIT,
  initialSession,
  LEAVE_LIMIT,
  RECONNECT_FIRST,
  RECONNECT_MOST,
  reduceSession,
  SILENCE_LIMIT,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  wakeAt,
} from "./session.ts";

const HEARTBEAT = 1000;
const attempt = (partition: number): AttemptId => attemptId(taskKey(jobId("job-1"), 0, partition), 1);
const failure = (partition: number): TaskResult => ({
  attempt: attempt(partition),
  ok: false,
  error: { code: "TaskCrashed", message: "", retryable: true },
});
const lost: CloseReason = { kind: "lost", detail: "the line broke" };
const welcome: SessionEvent = { type: "Welcome", node: nodeId("n-1"), secret: "s", heartbeat: HEARTBEAT };
/** Chance that always shortens a wait to three quarters. */
const half: Rng = { uint32: () => 2 ** 31, below: (bound) => bound / 2, unit: () => 0.5 };

/** Feeds events at given times; gives the last state and what the last event led to. */
function run(
  events: readonly (readonly [now: number, event: SessionEvent])[],
  from: SessionState = initialSession,
  rng: Rng = half,
): { state: SessionState; effects: readonly SessionEffect[] } {
  let state = from;
  let effects: readonly SessionEffect[] = [];
  for (const [now, event] of events) [state, effects] = reduceSession(state, event, now, rng);
  return { state, effects };
}

const joined = run([
  [0, { type: "Start" }],
  [0, { type: "Opened" }],
  [5, welcome],
]).state;

test("it connects, greets, and beats from the welcome on", () => {
  expect(run([[0, { type: "Start" }]]).effects).toEqual([{ type: "Open" }]);
  const greeting = run([
    [0, { type: "Start" }],
    [0, { type: "Opened" }],
  ]);
  expect(greeting.effects).toEqual([{ type: "Greet", resume: null, running: [] }]);
  expect(wakeAt(greeting.state)).toBe(GREETING_LIMIT);
  expect(wakeAt(joined)).toBe(5 + HEARTBEAT);
  expect(run([[5 + HEARTBEAT - 1, { type: "Tick" }]], joined).effects).toEqual([]);
  const beat = run(
    [
      [10, { type: "Assigned", attempts: [attempt(0), attempt(1)] }],
      [1005, { type: "Tick" }],
    ],
    joined,
  );
  expect(beat.effects).toEqual([{ type: "Beat", running: [attempt(0), attempt(1)] }]);
  expect(wakeAt(beat.state)).toBe(1005 + HEARTBEAT);
});

test("after a long sleep one heartbeat is sent, not a burst", () => {
  const late = run([[1_000_000, { type: "Tick" }]], joined);
  expect(late.effects).toHaveLength(1);
  expect(wakeAt(late.state)).toBe(1_000_000 + HEARTBEAT);
});

/** Lets every due heartbeat happen, from `state` on, until the link is down or `end`. */
function beatUntil(state: SessionState, end: number): { state: SessionState; effects: readonly SessionEffect[] } {
  let result: { state: SessionState; effects: readonly SessionEffect[] } = { state, effects: [] };
  while (result.state.link.kind === "joined" && wakeAt(result.state) <= end) {
    result = run([[wakeAt(result.state), { type: "Tick" }]], result.state);
  }
  return result;
}

test("a coordinator that answers no heartbeat is gone: the line is broken off and made anew", () => {
  const before = beatUntil(joined, 5 + SILENCE_LIMIT);
  expect(before.state.link.kind).toBe("joined");
  const silent = beatUntil(before.state, 30_000);
  expect(silent.effects).toEqual([
    { type: "Close", reason: { kind: "lost", detail: "the coordinator has fallen silent" } },
  ]);
  expect(silent.state).toMatchObject({ link: { kind: "down" }, resume: { node: nodeId("n-1"), secret: "s" } });
});

test("any message of the coordinator shows that it lives", () => {
  const almost = beatUntil(joined, 5 + SILENCE_LIMIT).state;
  const heard = run([[SILENCE_LIMIT + 10, { type: "Heard" }]], almost).state;
  expect(beatUntil(heard, 2 * SILENCE_LIMIT).state.link.kind).toBe("joined");
  expect(beatUntil(heard, 3 * SILENCE_LIMIT).state.link.kind).toBe("down");
});

test("slow heartbeats are given three chances", () => {
  const slow = run([
    [0, { type: "Start" }],
    [0, { type: "Opened" }],
    [0, { ...welcome, heartbeat: 60_000 }],
  ]).state;
  expect(beatUntil(slow, 3 * 60_000).state.link.kind).toBe("joined");
  expect(beatUntil(slow, 4 * 60_000).state.link.kind).toBe("down");
});

test("a leaving node whose coordinator is silent stops", () => {
  const leaving = run([[20, { type: "Leave", released: [] }]], {
    ...joined,
    link: { kind: "joined", heartbeatMs: 1000, nextHeartbeat: 30, unanswered: 15 },
  }).state;
  const { state, effects } = run([[30, { type: "Tick" }]], leaving);
  expect(state.link.kind).toBe("stopped");
  expect(effects.map(({ type }) => type)).toEqual(["Close", "Stop"]);
});

test("a broken connection is tried again later and later, but within five seconds", () => {
  let state = joined;
  const waits: number[] = [];
  for (let failures = 0, now = 100; failures < 9; failures++) {
    state = run([[now, { type: "Closed", reason: lost }]], state).state;
    const due = wakeAt(state);
    waits.push(due - now);
    expect(run([[due - 1, { type: "Tick" }]], state).effects).toEqual([]);
    const again = run([[due, { type: "Tick" }]], state);
    expect(again.effects).toEqual([{ type: "Open" }]);
    state = again.state;
    now = due;
  }
  expect(waits).toEqual([75, 150, 300, 600, 1200, 2400, 3750, 3750, 3750]);
  expect(Math.max(...waits)).toBeLessThan(RECONNECT_MOST);
  expect(state.detail).toBe("the line broke");
});

test("chance spreads the reconnects of many nodes over half the wait", () => {
  const waits = Array.from({ length: 200 }, (_, node) => {
    const { state } = run([[0, { type: "Closed", reason: lost }]], joined, philoxRng(7, node));
    return wakeAt(state);
  });
  for (const wait of waits) {
    expect(wait).toBeGreaterThanOrEqual(RECONNECT_FIRST / 2);
    expect(wait).toBeLessThan(RECONNECT_FIRST);
  }
  expect(new Set(waits).size).toBeGreaterThan(190);
});

test("a welcome resets the backoff", () => {
  const back = run(
    [
      [0, { type: "Closed", reason: lost }],
      [1, { type: "Closed", reason: lost }],
      [2, { type: "Closed", reason: lost }],
      [3, { type: "Tick" }],
      [3, { type: "Opened" }],
      [4, welcome],
      [5, { type: "Closed", reason: lost }],
    ],
    joined,
  );
  expect(wakeAt(back.state)).toBe(5 + 75);
});

test("a coordinator that does not answer the hello counts as lost", () => {
  const greeting = run([
    [0, { type: "Start" }],
    [0, { type: "Opened" }],
  ]).state;
  const given = run([[GREETING_LIMIT, { type: "Tick" }]], greeting);
  expect(given.effects).toEqual([
    { type: "Close", reason: { kind: "lost", detail: "the coordinator did not answer" } },
  ]);
  expect(given.state.link.kind).toBe("down");
});

test("it resumes under its old name and sends again what was not acknowledged", () => {
  const down = run(
    [
      [10, { type: "Assigned", attempts: [attempt(0), attempt(1), attempt(2), attempt(3)] }],
      [20, { type: "Finished", results: [failure(0)] }],
      [21, { type: "Finished", results: [failure(1)] }],
      [25, { type: "Acknowledged", attempts: [attempt(0)] }],
      [30, { type: "Closed", reason: lost }],
      [40, { type: "Finished", results: [failure(2)] }],
    ],
    joined,
  );
  expect(down.effects).toEqual([]);
  const greeting = run(
    [
      [200, { type: "Tick" }],
      [200, { type: "Opened" }],
    ],
    down.state,
  );
  expect(greeting.effects).toEqual([
    { type: "Greet", resume: { node: "n-1", secret: "s" }, running: [attempt(3), attempt(1), attempt(2)] },
  ]);
  expect(run([[210, welcome]], greeting.state).effects).toEqual([
    { type: "Send", message: { type: "results", results: [failure(1), failure(2)] } },
  ]);
});

test("results that are sent again are cut into messages that fit a frame", () => {
  const large = (partition: number): TaskResult => ({
    attempt: attempt(partition),
    ok: true,
    chunks: [{ bytes: INLINE_BYTES, hash: null, inline: new Uint8Array(INLINE_BYTES) }],
    summary: null,
    backend: "js",
    reason: "",
    fetchMs: 0,
    runMs: 0,
    units: 0,
  });
  const many = Array.from({ length: 200 }, (_, partition) => partition);
  const down = run(
    [
      [10, { type: "Assigned", attempts: many.map(attempt) }],
      [20, { type: "Closed", reason: lost }],
      [30, { type: "Finished", results: many.map(large) }],
      [200, { type: "Tick" }],
      [200, { type: "Opened" }],
    ],
    joined,
  );
  const { effects } = run([[210, welcome]], down.state);
  const batches = effects.map((effect) => {
    if (effect.type !== "Send" || effect.message.type !== "results") throw new Error(`sent ${effect.type}`);
    return effect.message.results;
  });
  expect(batches.flat().map((result) => result.attempt)).toEqual(many.map(attempt));
  for (const batch of batches) expect(batch.length * INLINE_BYTES).toBeLessThan(4 * 1024 * 1024);
});

test("what was revoked or never assigned gives no result", () => {
  const revoked = run(
    [
      [10, { type: "Assigned", attempts: [attempt(0)] }],
      [11, { type: "Revoked", attempts: [attempt(0)] }],
      [12, { type: "Finished", results: [failure(0), failure(5)] }],
    ],
    joined,
  );
  expect(revoked.effects).toEqual([]);
  expect(revoked.state.unacknowledged.size).toBe(0);
});

test("a pause gives back what was not started, survives a reconnect, and ends with resume", () => {
  const paused = run(
    [
      [10, { type: "Assigned", attempts: [attempt(0), attempt(1)] }],
      [11, { type: "Pause", released: [attempt(1)] }],
    ],
    joined,
  );
  expect(paused.effects).toEqual([{ type: "Offer", slots: "none", released: [attempt(1)] }]);
  expect([...paused.state.owed]).toEqual([attempt(0)]);
  const back = run(
    [
      [20, { type: "Closed", reason: lost }],
      [200, { type: "Tick" }],
      [200, { type: "Opened" }],
      [210, welcome],
    ],
    paused.state,
  );
  expect(back.effects).toEqual([{ type: "Offer", slots: "none", released: [] }]);
  expect(run([[220, { type: "Resume" }]], back.state).effects).toEqual([{ type: "Offer", slots: "all", released: [] }]);
  expect(run([[220, { type: "Resume" }]], joined).effects).toEqual([]);
});

test("it leaves when what it runs is done and acknowledged", () => {
  const leaving = run(
    [
      [10, { type: "Assigned", attempts: [attempt(0), attempt(1)] }],
      [20, { type: "Leave", released: [attempt(1)] }],
    ],
    joined,
  );
  expect(leaving.effects).toEqual([
    { type: "Offer", slots: "none", released: [attempt(1)] },
    { type: "Send", message: { type: "leave" } },
  ]);
  const finished = run([[30, { type: "Finished", results: [failure(0)] }]], leaving.state);
  expect(finished.state.link.kind).toBe("joined");
  const settled = run([[40, { type: "Acknowledged", attempts: [attempt(0)] }]], finished.state);
  expect(settled.state.link.kind).toBe("joined");
  const left = run([[50, { type: "Closed", reason: { kind: "normal", detail: "" } }]], settled.state);
  expect(left.effects).toEqual([{ type: "Stop" }]);
});

test("once it owes nothing the coordinator may fetch what it holds, and ends that; a limit does otherwise", () => {
  const leaving = run(
    [
      [10, { type: "Assigned", attempts: [attempt(0)] }],
      [20, { type: "Leave", released: [] }],
      [20_000, { type: "Finished", results: [failure(0)] }],
      [20_010, { type: "Acknowledged", attempts: [attempt(0)] }],
    ],
    joined,
  );
  const end = 20_010 + DRAIN_LIMIT;
  const waiting = run([[end - 1, { type: "Tick" }]], leaving.state);
  expect(waiting.state.link.kind).toBe("joined");
  expect(wakeAt(waiting.state)).toBe(end);
  expect(run([[end, { type: "Tick" }]], waiting.state).effects).toEqual([
    { type: "Close", reason: { kind: "normal", detail: "left" } },
    { type: "Stop" },
  ]);
});

test("what does not end in time is given back", () => {
  const leaving = run(
    [
      [10, { type: "Assigned", attempts: [attempt(0)] }],
      [20, { type: "Leave", released: [] }],
    ],
    joined,
  );
  expect(run([[20 + LEAVE_LIMIT - 1, { type: "Tick" }]], leaving.state).state.link.kind).toBe("joined");
  const givenBack = run([[20 + LEAVE_LIMIT, { type: "Tick" }]], leaving.state);
  expect(givenBack.effects).toEqual([
    { type: "Beat", running: [attempt(0)] },
    { type: "Offer", slots: "none", released: [attempt(0)] },
  ]);
  expect(run([[20 + LEAVE_LIMIT + DRAIN_LIMIT, { type: "Tick" }]], givenBack.state).effects).toEqual([
    { type: "Beat", running: [] },
    { type: "Close", reason: { kind: "normal", detail: "left" } },
    { type: "Stop" },
  ]);
});

test("leaving while the coordinator is away ends at once", () => {
  const { effects } = run(
    [
      [10, { type: "Closed", reason: lost }],
      [11, { type: "Leave", released: [] }],
    ],
    joined,
  );
  expect(effects).toContainEqual({ type: "Stop" });
});

test.each([
  ["version", true],
  ["unauthorized", false],
  ["replaced", false],
  ["malformed", false],
] as const)("a connection closed for %s is final", (kind, outdated) => {
  const { state, effects } = run([[10, { type: "Closed", reason: { kind, detail: "why" } }]], joined);
  expect(effects).toEqual([{ type: "Stop" }]);
  expect(state).toMatchObject({ outdated, detail: "why", link: { kind: "stopped" } });
  expect(wakeAt(state)).toBe(Number.POSITIVE_INFINITY);
  expect(run([[20, { type: "Start" }]], state).effects).toEqual([]);
});
