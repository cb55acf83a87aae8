import { expect, test } from "vitest";
import { jobId } from "../../shared/ids.ts";
import { ManualClock } from "../../shared/testing/manual-clock.ts";
import { Switchboard } from "./switchboard.ts";

const JOB = jobId("j-1");
const A = "a".repeat(32);
const B = "b".repeat(32);
const C = "c".repeat(32);

interface Message {
  readonly type: string;
  readonly src?: string;
  readonly dst?: string;
  readonly payload?: Record<string, unknown>;
}

function setup() {
  const clock = new ManualClock();
  /** Tickets from A to B alone. */
  const tickets = new Set<string>();
  const board = new Switchboard(
    {
      admits: () => true,
      redeem: (ticket, reader, holder) => (tickets.delete(ticket) && reader === A && holder === B ? JOB : null),
    },
    clock,
  );
  const connect = (id: string) => {
    const heard: Message[] = [];
    const closed: string[] = [];
    const { receive, gone } = board.connect(id, {
      send: (text) => void heard.push(JSON.parse(text) as Message),
      close: (kind) => void closed.push(kind),
    });
    return { heard, closed, gone, say: (message: unknown) => receive(JSON.stringify(message)), raw: receive };
  };
  return { clock, tickets, connect };
}

const sdp = { type: "offer", sdp: "v=0" };
const offer = (dst: string, ticket: string, more: Record<string, unknown> = {}) => ({
  type: "OFFER",
  dst,
  payload: {
    sdp,
    type: "data",
    connectionId: "dc_1",
    metadata: { job: JOB, ticket },
    label: "dc_1",
    reliable: true,
    serialization: "raw",
    ...more,
  },
});
const answer = (dst: string, connectionId = "dc_1") => ({
  type: "ANSWER",
  dst,
  payload: { sdp: { type: "answer", sdp: "v=0" }, type: "data", connectionId },
});
const candidate = (dst: string, connectionId = "dc_1") => ({
  type: "CANDIDATE",
  dst,
  payload: { candidate: { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0 }, type: "data", connectionId },
});

test("an offer with its ticket passes without it, and then what belongs to the two ends", () => {
  const { tickets, connect } = setup();
  const [a, b] = [connect(A), connect(B)];
  tickets.add("t-1");
  a.say({ ...offer(B, "t-1"), src: C });
  a.say(candidate(B));
  b.say(answer(A));
  b.say(candidate(A));
  expect(a.heard.map(({ type, src }) => [type, src])).toEqual([
    ["OPEN", undefined],
    ["ANSWER", B],
    ["CANDIDATE", B],
  ]);
  expect(b.heard.map(({ type, src }) => [type, src])).toEqual([
    ["OPEN", undefined],
    ["OFFER", A],
    ["CANDIDATE", A],
  ]);
  expect(b.heard[1]).toMatchObject({ dst: B, payload: { sdp, connectionId: "dc_1", metadata: { job: JOB } } });
  expect(JSON.stringify(b.heard)).not.toContain("t-1");
});

test.each<[string, (ticket: string) => object]>([
  ["a wrong ticket", () => offer(B, "guessed")],
  ["a ticket for another node", (ticket) => offer(C, ticket)],
  ["a ticket for another job", (ticket) => offer(B, ticket, { metadata: { job: "j-2", ticket } })],
])("an offer with %s does not pass", (_, message) => {
  const { tickets, connect } = setup();
  const [a, b, c] = [connect(A), connect(B), connect(C)];
  tickets.add("t-1");
  a.say(message("t-1"));
  expect([b.heard, c.heard].flat().map(({ type }) => type)).toEqual(["OPEN", "OPEN"]);
  expect(a.heard.at(-1)).toMatchObject({ type: "EXPIRE" });
});

test("a ticket that was used does not pass again", () => {
  const { tickets, connect } = setup();
  const [a, b] = [connect(A), connect(B)];
  tickets.add("t-1");
  a.say(offer(B, "t-1"));
  a.say(offer(B, "t-1", { connectionId: "dc_2" }));
  expect(b.heard.map(({ type }) => type)).toEqual(["OPEN", "OFFER"]);
  expect(a.heard.at(-1)).toMatchObject({ type: "EXPIRE", src: B });
});

test("a stranger gets nothing through to either end, whatever it says", () => {
  const { tickets, connect } = setup();
  const [a, b, c] = [connect(A), connect(B), connect(C)];
  tickets.add("t-1");
  a.say(offer(B, "t-1"));
  const before = [a.heard.length, b.heard.length];
  for (const dst of [A, B]) {
    c.say(answer(dst));
    c.say(candidate(dst));
    c.say({ type: "LEAVE", dst });
    c.say({ type: "EXPIRE", dst });
  }
  // The caller cannot answer itself, and the called one not another call.
  a.say(answer(B));
  b.say(candidate(A, "dc_9"));
  expect([a.heard.length, b.heard.length]).toEqual(before);
  expect(c.closed).toEqual([]);
});

test("an offer waits for a node that is on its way, in order, and not for long", () => {
  const { clock, tickets, connect } = setup();
  const a = connect(A);
  tickets.add("t-1").add("t-2");
  a.say(offer(B, "t-1"));
  a.say(candidate(B));
  clock.advance(4_999);
  const b = connect(B);
  expect(b.heard.map(({ type }) => type)).toEqual(["OPEN", "OFFER", "CANDIDATE"]);
  clock.advance(5_000);
  expect(a.heard.map(({ type }) => type)).toEqual(["OPEN"]);

  b.gone();
  a.say(offer(B, "t-2", { connectionId: "dc_2" }));
  clock.advance(5_000);
  expect(a.heard.at(-1)).toMatchObject({ type: "EXPIRE", src: B, dst: A });
  expect(connect(B).heard.map(({ type }) => type)).toEqual(["OPEN"]);
});

test("no more waits for a node than it could need", () => {
  const { tickets, connect } = setup();
  const a = connect(A);
  tickets.add("t-1");
  a.say(offer(B, "t-1"));
  for (let count = 0; count < 100; count++) a.say(candidate(B));
  expect(connect(B).heard).toHaveLength(1 + 64);
});

test("a flood closes the line; PeerJS's own pace does not", () => {
  const { clock, connect } = setup();
  const calm = connect(A);
  for (let beat = 0; beat < 1_000; beat++) {
    calm.say({ type: "HEARTBEAT" });
    clock.advance(5_000);
  }
  expect(calm.closed).toEqual([]);
  const wild = connect(B);
  for (let count = 0; count < 501; count++) wild.say({ type: "HEARTBEAT" });
  expect(wild.closed).toEqual(["limit"]);
});

test.each<[string, unknown]>([
  ["no JSON", undefined],
  ["an unknown type", { type: "LIST" }],
  ["an offer of media", offer(B, "t", { type: "media" })],
  ["a serialization that the receiver does not have", offer(B, "t", { serialization: "binary" })],
  ["an offer without a ticket", offer(B, "t", { metadata: {} })],
  ["a receiver that is no id", answer("*")],
  ["a session description that is too long", offer(B, "t", { sdp: { type: "offer", sdp: "x".repeat(50_000) } })],
  ["a candidate that is none", { ...candidate(B), payload: { candidate: "x", type: "data", connectionId: "1" } }],
])("%s closes the line", (_, message) => {
  const { connect } = setup();
  const a = connect(A);
  a.raw(message === undefined ? "{" : JSON.stringify(message));
  expect(a.closed).toEqual(["malformed"]);
});

test("a node that connects anew replaces its old line, whose end changes nothing then", () => {
  const { tickets, connect } = setup();
  const [a, old] = [connect(A), connect(B)];
  const anew = connect(B);
  expect(old.closed).toEqual(["replaced"]);
  old.gone();
  tickets.add("t-1");
  a.say(offer(B, "t-1"));
  expect(anew.heard.at(-1)).toMatchObject({ type: "OFFER" });
});

test("a line that is silent for minutes is closed", () => {
  const { clock, connect } = setup();
  const a = connect(A);
  clock.advance(149_999);
  a.say({ type: "HEARTBEAT" });
  clock.advance(149_999);
  expect(a.closed).toEqual([]);
  clock.advance(1);
  expect(a.closed).toEqual(["silent"]);
});
