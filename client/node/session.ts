import type { AttemptId, NodeId } from "../../shared/ids.ts";
import { type CloseReason, mayReconnect } from "../../shared/protocol/channel.ts";
import { MAX_FRAME_BYTES, SUMMARY_BYTES, type TaskResult, type ToCoordinator } from "../../shared/protocol/messages.ts";
import type { Rng } from "../../shared/rng.ts";
import { isEmpty, type Ledger, without } from "./ledger.ts";

/**
 * A node's side of the session with its coordinator: (state, event, now, rng) → state and effects. It knows no socket and
 * no clock; times are monotonic ms.
 */

/** ms; doubled after each failure up to the most, then shortened by chance so that nodes do not come back all at once. */
export const RECONNECT_FIRST = 100;
/** ms; a coordinator that is back must have its nodes within 5 s. */
export const RECONNECT_MOST = 5_000;
/** ms to wait for a welcome before the connection counts as broken. */
export const GREETING_LIMIT = 10_000;
/** ms of heartbeats without an answer after which the connection counts as broken; three heartbeats at the least. */
export const SILENCE_LIMIT = 15_000;
/** ms in which a leaving node still finishes what it runs; then it gives that back. */
export const LEAVE_LIMIT = 30_000;
/** ms in which a leaving node that owes nothing more answers upload requests for what it holds, if the coordinator does not end that. */
export const DRAIN_LIMIT = 5_000;
/** Encoded bytes of results in one message, about: half of what a frame takes. */
const RESULTS_BYTES = MAX_FRAME_BYTES / 2;
/** At most so many bytes a result takes beside its inline outputs, and each chunk's hash and length. */
const RESULT_BYTES = 2 * SUMMARY_BYTES;
const CHUNK_BYTES = 128;

type Link =
  /** Not connected; connects at `retryAt`. */
  | { readonly kind: "down"; readonly retryAt: number }
  /** `Open` was asked for. */
  | { readonly kind: "connecting" }
  /** The hello is on its way; broken if no welcome came by `until`. */
  | { readonly kind: "greeting"; readonly until: number }
  | {
      readonly kind: "joined";
      readonly heartbeatMs: number;
      readonly nextHeartbeat: number;
      /** Heartbeats since the coordinator was last heard of. Counted, not timed: a machine that slept has missed none. */
      readonly unanswered: number;
    }
  | { readonly kind: "stopped" };

export interface SessionState extends Ledger {
  readonly link: Link;
  readonly paused: boolean;
  /** Set once it leaves: until when it finishes what it owes and then, owing nothing, answers upload requests. */
  readonly leaving: { readonly step: "finishing" | "draining"; readonly until: number } | null;
  readonly resume: { readonly node: NodeId; readonly secret: string } | null;
  /** Connections in a row that failed. */
  readonly failures: number;
  /** Why it is down or stopped, for a person. */
  readonly detail: string;
  /** Stopped since the coordinator speaks another version. */
  readonly outdated: boolean;
}

export type SessionEvent =
  | { readonly type: "Start" }
  | { readonly type: "Opened" }
  | { readonly type: "Closed"; readonly reason: CloseReason }
  /** Any message of the coordinator. */
  | { readonly type: "Heard" }
  | { readonly type: "Welcome"; readonly node: NodeId; readonly secret: string; readonly heartbeat: number }
  | { readonly type: "Assigned"; readonly attempts: readonly AttemptId[] }
  | { readonly type: "Revoked"; readonly attempts: readonly AttemptId[] }
  | { readonly type: "Finished"; readonly results: readonly TaskResult[] }
  | { readonly type: "Acknowledged"; readonly attempts: readonly AttemptId[] }
  /** `released` are leases that were not started and go back. */
  | { readonly type: "Pause"; readonly released: readonly AttemptId[] }
  /** Leases that came too late, to a node that is paused or leaving. */
  | { readonly type: "GiveBack"; readonly released: readonly AttemptId[] }
  | { readonly type: "Resume" }
  | { readonly type: "Leave"; readonly released: readonly AttemptId[] }
  /** The node cannot work at all. */
  | { readonly type: "Fail"; readonly detail: string }
  | { readonly type: "Tick" };

export type SessionEffect =
  | { readonly type: "Open" }
  /** Send a hello with what this node can do and holds. */
  | {
      readonly type: "Greet";
      readonly resume: { readonly node: NodeId; readonly secret: string } | null;
      readonly running: readonly AttemptId[];
    }
  /** Send a heartbeat that names these attempts, with their progress. */
  | { readonly type: "Beat"; readonly running: readonly AttemptId[] }
  | { readonly type: "Send"; readonly message: ToCoordinator }
  /** Offer slots again: all of them, or none. */
  | { readonly type: "Offer"; readonly slots: "all" | "none"; readonly released: readonly AttemptId[] }
  | { readonly type: "Close"; readonly reason: CloseReason }
  /** The session is over: stop everything. */
  | { readonly type: "Stop" };

type Step = readonly [state: SessionState, effects: readonly SessionEffect[]];

export const initialSession: SessionState = {
  link: { kind: "down", retryAt: Number.POSITIVE_INFINITY },
  paused: false,
  leaving: null,
  resume: null,
  failures: 0,
  detail: "",
  outdated: false,
  owed: new Set(),
  unacknowledged: new Map(),
};

/** When the shell must send the next Tick, in ms; Infinity when nothing is due. */
export function wakeAt({ link, leaving }: SessionState): number {
  const left = leaving?.until ?? Number.POSITIVE_INFINITY;
  switch (link.kind) {
    case "down":
      return Math.min(link.retryAt, left);
    case "connecting":
      return left;
    case "greeting":
      return Math.min(link.until, left);
    case "joined":
      return Math.min(link.nextHeartbeat, left);
    case "stopped":
      return Number.POSITIVE_INFINITY;
  }
}

export function reduceSession(state: SessionState, event: SessionEvent, now: number, rng: Rng): Step {
  if (state.link.kind === "stopped") return [state, []];
  const [next, effects] = step(state, event, now, rng);
  const [last, more] = finishLeaving(next, now);
  return [last, [...effects, ...more]];
}

function step(state: SessionState, event: SessionEvent, now: number, rng: Rng): Step {
  switch (event.type) {
    case "Start":
      return [{ ...state, link: { kind: "connecting" } }, [{ type: "Open" }]];
    case "Opened": {
      const running = [...state.owed, ...state.unacknowledged.keys()];
      return [
        { ...state, link: { kind: "greeting", until: now + GREETING_LIMIT } },
        [{ type: "Greet", resume: state.resume, running }],
      ];
    }
    case "Closed":
      return closed(state, event.reason, now, rng);
    case "Heard":
      return state.link.kind === "joined" ? [{ ...state, link: { ...state.link, unanswered: 0 } }, []] : [state, []];
    case "Welcome":
      return welcomed(state, event, now);
    case "Assigned":
      return [{ ...state, owed: new Set([...state.owed, ...event.attempts]) }, []];
    case "Revoked":
    case "Acknowledged":
      return [without(state, event.attempts), []];
    case "Finished": {
      const results = event.results.filter((result) => state.owed.has(result.attempt));
      const settled = without(
        state,
        results.map((result) => result.attempt),
      );
      const unacknowledged = new Map([...state.unacknowledged, ...results.map((one) => [one.attempt, one] as const)]);
      return [{ ...settled, unacknowledged }, joined(state, sendResults(results))];
    }
    case "Pause":
      return [
        { ...without(state, event.released), paused: true },
        joined(state, [{ type: "Offer", slots: "none", released: event.released }]),
      ];
    case "GiveBack":
      return [
        without(state, event.released),
        joined(state, [{ type: "Offer", slots: "none", released: event.released }]),
      ];
    case "Resume":
      if (!state.paused || state.leaving !== null) return [state, []];
      return [{ ...state, paused: false }, joined(state, [{ type: "Offer", slots: "all", released: [] }])];
    case "Leave": {
      if (state.leaving !== null) return [state, []];
      const leaving = { step: "finishing", until: now + LEAVE_LIMIT } as const;
      const last: SessionEffect[] = [
        { type: "Offer", slots: "none", released: event.released },
        { type: "Send", message: { type: "leave" } },
      ];
      return [{ ...without(state, event.released), leaving }, joined(state, last)];
    }
    case "Fail":
      return stop(state, event.detail);
    case "Tick":
      return ticked(state, now, rng);
  }
}

/** While the link is down, what these effects say is said by the next hello and what follows the welcome. */
const joined = ({ link }: SessionState, effects: readonly SessionEffect[]): readonly SessionEffect[] =>
  link.kind === "joined" ? effects : [];

function sendResults(results: readonly TaskResult[]): SessionEffect[] {
  const batches: TaskResult[][] = [];
  let room = 0;
  for (const result of results) {
    const chunks = result.ok ? result.chunks : [];
    const bytes = chunks.reduce((sum, { inline }) => sum + CHUNK_BYTES + (inline?.byteLength ?? 0), RESULT_BYTES);
    if (bytes > room) {
      batches.push([]);
      room = RESULTS_BYTES;
    }
    batches.at(-1)?.push(result);
    room -= bytes;
  }
  return batches.map((batch) => ({ type: "Send", message: { type: "results", results: batch } }));
}

function welcomed(state: SessionState, event: SessionEvent & { type: "Welcome" }, now: number): Step {
  const link: Link = {
    kind: "joined",
    heartbeatMs: event.heartbeat,
    nextHeartbeat: now + event.heartbeat,
    unanswered: 0,
  };
  const resume = { node: event.node, secret: event.secret };
  const effects = sendResults([...state.unacknowledged.values()]);
  if (state.paused || state.leaving !== null) effects.push({ type: "Offer", slots: "none", released: [] });
  if (state.leaving !== null) effects.push({ type: "Send", message: { type: "leave" } });
  return [{ ...state, link, resume, failures: 0, detail: "" }, effects];
}

function closed(state: SessionState, reason: CloseReason, now: number, rng: Rng): Step {
  const detail = reason.detail === "" ? reason.kind : reason.detail;
  if (state.leaving !== null) return stop(state, "");
  if (!mayReconnect(reason.kind)) return stop({ ...state, outdated: reason.kind === "version" }, detail);
  let longest = RECONNECT_FIRST;
  for (let failure = 0; failure < state.failures && longest < RECONNECT_MOST; failure++) longest *= 2;
  const delay = Math.min(longest, RECONNECT_MOST) * (0.5 + rng.unit() / 2);
  const link: Link = { kind: "down", retryAt: now + delay };
  return [{ ...state, link, failures: state.failures + 1, detail }, []];
}

function ticked(state: SessionState, now: number, rng: Rng): Step {
  const { link } = state;
  switch (link.kind) {
    case "down":
      return now < link.retryAt ? [state, []] : [{ ...state, link: { kind: "connecting" } }, [{ type: "Open" }]];
    case "greeting": {
      if (now < link.until) return [state, []];
      return breakOff(state, "the coordinator did not answer", now, rng);
    }
    case "joined": {
      if (now < link.nextHeartbeat) return [state, []];
      if (link.unanswered >= Math.max(3, SILENCE_LIMIT / link.heartbeatMs)) {
        return breakOff(state, "the coordinator has fallen silent", now, rng);
      }
      // From now on, not from when it was due: after a sleep of the machine one heartbeat is enough.
      const unanswered = link.unanswered + 1;
      const next: Link = { ...link, nextHeartbeat: now + link.heartbeatMs, unanswered };
      return [{ ...state, link: next }, [{ type: "Beat", running: [...state.owed] }]];
    }
    case "connecting":
    case "stopped":
      return [state, []];
  }
}

function breakOff(state: SessionState, detail: string, now: number, rng: Rng): Step {
  const reason: CloseReason = { kind: "lost", detail };
  const [down, effects] = closed(state, reason, now, rng);
  return [down, [{ type: "Close", reason }, ...effects]];
}

/**
 * A leaving node finishes what it owes, or gives it back when its time is up; then the coordinator takes what it needs of what lies
 * here, and closes. It ends by itself when that takes too long, or when there is no connection.
 */
function finishLeaving(state: SessionState, now: number): Step {
  const { leaving, link } = state;
  if (leaving === null || link.kind === "stopped") return [state, []];
  const isDue = link.kind !== "joined" || now >= leaving.until;
  if (link.kind === "joined" && leaving.step === "finishing") {
    if (!isEmpty(state) && !isDue) return [state, []];
    const released = [...state.owed];
    const giveBack: SessionEffect[] = released.length > 0 ? [{ type: "Offer", slots: "none", released }] : [];
    return [{ ...without(state, released), leaving: { step: "draining", until: now + DRAIN_LIMIT } }, giveBack];
  }
  if (!isDue) return [state, []];
  const [stopped, effects] = stop(state, "");
  return [stopped, [{ type: "Close", reason: { kind: "normal", detail: "left" } }, ...effects]];
}

const stop = (state: SessionState, detail: string): Step => [
  { ...state, link: { kind: "stopped" }, detail },
  [{ type: "Stop" }],
];
