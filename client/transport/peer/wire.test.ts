import { expect, test } from "vitest";
import { blobHash, parseChunkKey } from "../../../shared/ids.ts";
import { encodeValue } from "../../../shared/protocol/value-codec.ts";
import { philoxRng } from "../../../shared/rng.ts";
import { DATA_BYTES, decodePeerFrame, encodePeerFrame, type PeerMessage } from "./wire.ts";

const HASH = blobHash("0f".repeat(32));
const MESSAGES: readonly PeerMessage[] = [
  { kind: "request", transfer: 1, key: parseChunkKey("j-1/2/3/4"), hash: HASH, offset: 5_000_000_000 },
  { kind: "header", transfer: 0xffffffff, bytes: 5_000_000_000 },
  { kind: "data", transfer: 7, bytes: Uint8Array.of(1, 2, 3) },
  { kind: "refused", transfer: 7, reason: "missing" },
  { kind: "cancelled", transfer: 7 },
];

test.each(MESSAGES)("a $kind comes out as it went in", (message) => {
  expect(decodePeerFrame(encodePeerFrame(message))).toEqual(message);
});

test("a full frame of data has 64 KiB, its number little-endian behind the kind", () => {
  const frame = encodePeerFrame({ kind: "data", transfer: 0x01020304, bytes: new Uint8Array(DATA_BYTES) });
  expect(frame.byteLength).toBe(65_536);
  expect([...frame.subarray(0, 5)]).toEqual([3, 4, 3, 2, 1]);
});

const head = (kind: number): number[] => [kind, 1, 0, 0, 0];
const control = (kind: number, value: Parameters<typeof encodeValue>[0]): Uint8Array =>
  Uint8Array.from([...head(kind), ...encodeValue(value)]);

test.each<[string, Uint8Array]>([
  ["nothing", new Uint8Array(0)],
  ["a head that is cut", Uint8Array.of(5, 1, 0)],
  ["kind 0", Uint8Array.from(head(0))],
  ["kind 6", Uint8Array.from(head(6))],
  ["no data", Uint8Array.from(head(3))],
  ["more data than a frame has", new Uint8Array(DATA_BYTES + 6).fill(3, 0, 1)],
  ["a request for no chunk", control(1, { key: "../etc", hash: HASH, offset: 0 })],
  ["a request for no hash", control(1, { key: "j-1/2/3/4", hash: "00", offset: 0 })],
  ["a request from before the start", control(1, { key: "j-1/2/3/4", hash: HASH, offset: -1 })],
  ["a length that is none", control(2, { bytes: 1.5 })],
  ["a header that is too long", control(2, { bytes: 1, more: "x".repeat(2000) })],
  ["a reason that is none", control(4, { reason: "tired" })],
  ["no MessagePack", Uint8Array.from([...head(2), 0xc1])],
])("%s is refused", (_, frame) => {
  expect(() => decodePeerFrame(frame)).toThrow(expect.objectContaining({ code: "BadFrame" }));
});

test("whatever bytes come, they are a message or a BadFrame", () => {
  const rng = philoxRng(3, 0);
  for (let round = 0; round < 5_000; round++) {
    const frame = Uint8Array.from({ length: rng.below(80) }, () => rng.below(256));
    frame[0] = rng.below(7);
    try {
      expect(decodePeerFrame(frame).kind).toMatch(/^(request|header|data|refused|cancelled)$/);
    } catch (error) {
      expect(error).toMatchObject({ code: "BadFrame" });
    }
  }
});
