import { once } from "node:events";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { KindlingError } from "../../shared/errors.ts";
import type { CloseReason } from "../../shared/protocol/channel.ts";
import { decodeFromNode, encodeFrame } from "../../shared/protocol/frames.ts";
import { MAX_FRAME_BYTES, PROTOCOL_VERSION, type ToCoordinator } from "../../shared/protocol/messages.ts";
import { encodeValue } from "../../shared/protocol/value-codec.ts";
import { philoxRng, type Rng } from "../../shared/rng.ts";
import { type Harness, startHarness } from "./testing/harness.ts";

let harness: Harness;
const rejections: unknown[] = [];
const onRejection = (reason: unknown): number => rejections.push(reason);

beforeAll(async () => {
  harness = await startHarness({
    limits: { channel: { messagesPerSecond: 1e9, messageBurst: 1e9, sendBufferBytes: MAX_FRAME_BYTES } },
  });
  process.on("unhandledRejection", onRejection);
});
afterAll(async () => {
  process.off("unhandledRejection", onRejection);
  await harness.close();
  expect(rejections).toEqual([]);
  expect(harness.services.errors).toEqual([]);
});

let received: ToCoordinator[];
let reasons: CloseReason[];
beforeEach(() => {
  received = [];
  reasons = [];
  harness.services.onConnect = (channel) => {
    channel.onMessage((message) => received.push(message));
    channel.onClose((reason) => reasons.push(reason));
  };
});

const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate();
});

async function connect(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${harness.port}/api/connect`, { perMessageDeflate: false });
  socket.on("error", () => {});
  open.push(socket);
  await once(socket, "open");
  return socket;
}

const closeCode = async (socket: WebSocket): Promise<number> => ((await once(socket, "close")) as [number])[0];

const hello: ToCoordinator = {
  type: "hello",
  protocol: PROTOCOL_VERSION,
  token: "t".repeat(43),
  name: "a node",
  kind: "headless",
  slots: 2,
  memoryBytes: 1e9,
  backends: ["js", "wasm"],
  lacks: ["webgpu"],
  held: [],
  running: [],
};
const VALID = [
  hello,
  { type: "leave" },
  { type: "heartbeat", running: [{ attempt: "a/0/0#1", units: 5 }] },
  { type: "availability", slots: 0, released: ["a/0/0#1"] },
  { type: "unavailable", chunks: ["a/0/0/0"] },
  {
    type: "results",
    results: [{ attempt: "a/0/0#1", ok: false, error: { code: "X", message: "y", retryable: true } }],
  },
].map((message) => encodeFrame(message as ToCoordinator));

/** Random bytes, or a valid frame that was flipped, cut, lengthened or spliced with another. */
function fuzzedFrame(rng: Rng): Uint8Array {
  const pick = (): Uint8Array => VALID[rng.below(VALID.length)] ?? new Uint8Array();
  const random = (most: number): Uint8Array => Uint8Array.from({ length: rng.below(most) }, () => rng.below(256));
  const frame = Uint8Array.from(pick());
  switch (rng.below(6)) {
    case 0:
      return random(200);
    case 1:
      for (let flips = rng.below(4) + 1; flips > 0; flips--) frame[rng.below(frame.length)] = rng.below(256);
      return frame;
    case 2:
      return frame.subarray(0, rng.below(frame.length));
    case 3:
      return Uint8Array.from([...frame, ...random(20)]);
    case 4: {
      const other = pick();
      return Uint8Array.from([
        ...frame.subarray(0, rng.below(frame.length)),
        ...other.subarray(rng.below(other.length)),
      ]);
    }
    default:
      return frame;
  }
}

const isValid = (frame: Uint8Array): boolean => {
  try {
    decodeFromNode(frame);
    return true;
  } catch {
    return false;
  }
};

test("20,000 fuzzed frames: each is a message or BadFrame, and nothing else", () => {
  const rng = philoxRng(15, 0);
  let good = 0;
  for (let round = 0; round < 20_000; round++) {
    try {
      decodeFromNode(fuzzedFrame(rng));
      good++;
    } catch (error) {
      if (!(error instanceof KindlingError) || error.code !== "BadFrame") throw error;
    }
  }
  expect(good).toBeGreaterThan(2_000);
  expect(good).toBeLessThan(18_000);
});

test("frames over a socket: valid ones arrive, the first bad one closes it with 4008", async () => {
  const rng = philoxRng(16, 0);
  for (let round = 0; round < 300; round++) {
    received = [];
    const socket = await connect();
    let valid = 0;
    for (;;) {
      const frame = fuzzedFrame(rng);
      socket.send(frame);
      if (!isValid(frame)) break;
      valid++;
    }
    expect(await closeCode(socket)).toBe(4008);
    expect(received).toHaveLength(valid);
  }
  expect(reasons).toHaveLength(300);
  expect(reasons.every(({ kind }) => kind === "malformed")).toBe(true);
});

test("a text frame is no message", async () => {
  const socket = await connect();
  socket.send("hello");
  expect(await closeCode(socket)).toBe(4008);
});

test("lengths that a frame cannot hold reserve no memory", async () => {
  // MessagePack headers that announce 4 GiB of string, binary, array, map and extension.
  for (const kind of [0xdb, 0xc6, 0xdd, 0xdf, 0xc9]) {
    const socket = await connect();
    socket.send(Uint8Array.of(kind, 0xff, 0xff, 0xff, 0xff, 1));
    expect(await closeCode(socket)).toBe(4008);
  }
});

test("an oversized message is closed before it is buffered", async () => {
  const socket = await connect();
  socket.send(new Uint8Array(MAX_FRAME_BYTES + 1));
  expect(await closeCode(socket)).toBe(1009);
  expect(received).toEqual([]);
  await vi.waitFor(() => expect(reasons).toMatchObject([{ kind: "limit" }]));
});

test("a message in 100,000 fragments is closed early", async () => {
  const socket = await connect();
  const closing = closeCode(socket);
  for (let sent = 0; sent < 100_000 && socket.readyState === WebSocket.OPEN; sent++) {
    socket.send(Uint8Array.of(1), { fin: false });
    if (sent % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect([1008, 1009, 1006]).toContain(await closing);
  expect(received).toEqual([]);
});

test("compression is not offered, so that nothing can inflate", async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${harness.port}/api/connect`, { perMessageDeflate: true });
  open.push(socket);
  await once(socket, "open");
  expect(socket.extensions).toBe("");
});

test("a value nested deeper than the journal can keep is refused at the door", async () => {
  let summary: unknown = 1;
  for (let depth = 0; depth < 100; depth++) summary = [summary];
  const result = {
    attempt: "a/0/0#1",
    ok: true,
    chunks: [{ bytes: 0, hash: null }],
    summary,
    backend: "js",
    reason: "",
    fetchMs: 0,
    runMs: 0,
    units: 0,
  };
  expect(() => encodeValue(result as never)).toThrow();
  const inner = encodeFrame({ type: "results", results: [{ ...result, summary: "MARK" }] } as never);
  const at = Buffer.from(inner).indexOf("MARK") - 1;
  const nested = [...Array<number>(100).fill(0x91), 1];
  const frame = Uint8Array.from([...inner.subarray(0, at), ...nested, ...inner.subarray(at + 5)]);
  expect(() => decodeFromNode(frame)).toThrow(expect.objectContaining({ code: "BadFrame" }));
});
