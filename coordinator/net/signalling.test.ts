import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Harness, JOB, startHarness } from "./testing/harness.ts";

const A = "a".repeat(32);
const B = "b".repeat(32);

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

/** As PeerJS's client asks for it. */
const address = (id: string, token = `token-of-${id}`): string =>
  `ws://127.0.0.1:${harness.port}/api/peer/peerjs?key=peerjs&id=${id}&token=${token}&version=1.5.5`;

interface Connected {
  readonly socket: WebSocket;
  next(): Promise<Record<string, unknown>>;
}

async function connect(id: string): Promise<Connected> {
  const socket = new WebSocket(address(id));
  const heard: Record<string, unknown>[] = [];
  const waiting: ((message: Record<string, unknown>) => void)[] = [];
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as Record<string, unknown>;
    const resolve = waiting.shift();
    if (resolve === undefined) heard.push(message);
    else resolve(message);
  });
  const connected: Connected = {
    socket,
    next: () => {
      const message = heard.shift();
      return message === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(message);
    },
  };
  expect(await connected.next()).toEqual({ type: "OPEN" });
  return connected;
}

/** The status that an upgrade is refused with. */
async function refusal(url: string, options: { origin?: string; headers?: Record<string, string> } = {}) {
  const socket = new WebSocket(url, options);
  socket.on("error", () => {});
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}

const offer = (dst: string, ticket: string): string =>
  JSON.stringify({
    type: "OFFER",
    dst,
    payload: {
      sdp: { type: "offer", sdp: "v=0" },
      type: "data",
      connectionId: "dc_1",
      metadata: { job: JOB, ticket },
      label: "dc_1",
      reliable: true,
      serialization: "raw",
    },
  });

test("joined nodes meet at the coordinator's own port", async () => {
  const [a, b] = [await connect(A), await connect(B)];
  a.socket.send(offer(B, "good"));
  expect(await b.next()).toMatchObject({ type: "OFFER", src: A, dst: B, payload: { metadata: { job: JOB } } });
  a.socket.send(offer(B, "bad"));
  expect(await a.next()).toMatchObject({ type: "EXPIRE", src: B });
});

test("an id that is not joined, or with another token, is refused, and guessing is limited", async () => {
  expect(await refusal(address(A, "guess"))).toBe(401);
  expect(await refusal(`ws://127.0.0.1:${harness.port}/api/peer/peerjs`)).toBe(401);
  for (let tries = 2; tries < 10; tries++) expect(await refusal(address(A, "guess"))).toBe(401);
  expect(await refusal(address(A, "guess"))).toBe(429);
  // Who has the right one is not locked out by others of the same address.
  (await connect(A)).socket.close();
});

test("pages of other origins and foreign hosts do not get as far as a token", async () => {
  expect(await refusal(address(A), { origin: "http://evil.example" })).toBe(403);
  expect(await refusal(address(A), { headers: { host: "evil.example" } })).toBe(403);
});

test.each<[string, string | Uint8Array, number]>([
  ["a message over 64 KiB", "x".repeat(65_537), 1009],
  ["a binary frame", Uint8Array.of(1), 4008],
  ["nonsense", "hello", 4008],
])("%s ends the connection", async (_, message, code) => {
  const { socket } = await connect(A);
  socket.send(message);
  const [closed] = (await once(socket, "close")) as [number];
  expect(closed).toBe(code);
});

test("a flood ends the connection", async () => {
  const { socket } = await connect(A);
  for (let count = 0; count < 600; count++) socket.send(JSON.stringify({ type: "HEARTBEAT" }));
  const [closed] = (await once(socket, "close")) as [number];
  expect(closed).toBe(4009);
});

test("a stopping coordinator says so", async () => {
  const { socket } = await connect(A);
  const closed = once(socket, "close") as Promise<[number]>;
  await harness.server.close();
  expect((await closed)[0]).toBe(4012);
});
