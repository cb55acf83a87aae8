import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeFromCoordinator, decodeFromNode, encodeFrame } from "./frames.ts";
import { GOLDEN_TO_COORDINATOR, GOLDEN_TO_NODE } from "./golden-messages.ts";
import { MAX_FRAME_BYTES, type ToCoordinator, toCoordinator, type ToNode, toNode } from "./messages.ts";

const FOLDER = new URL("golden/", import.meta.url);
const frameOf = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(readFileSync(new URL(`${name}.hex`, FOLDER), "utf8").replaceAll(/\s/g, ""), "hex"));
const all = { ...GOLDEN_TO_COORDINATOR, ...GOLDEN_TO_NODE };

test("each file has its message, and each message its file", () => {
  expect(readdirSync(FOLDER).sort()).toEqual(
    Object.keys(all)
      .map((name) => `${name}.hex`)
      .sort(),
  );
});

test("each kind of message has a golden frame", () => {
  const kinds = (messages: Readonly<Record<string, { readonly type: string }>>): Set<string> =>
    new Set(Object.values(messages).map(({ type }) => type));
  expect(kinds(GOLDEN_TO_COORDINATOR)).toEqual(new Set(toCoordinator.options.map(({ shape }) => shape.type.value)));
  expect(kinds(GOLDEN_TO_NODE)).toEqual(new Set(toNode.options.map(({ shape }) => shape.type.value)));
});

test.each(Object.entries(GOLDEN_TO_COORDINATOR))("%s, to the coordinator, is this frame", (name, message) => {
  expect(Buffer.from(encodeFrame(message)).toString("hex")).toBe(Buffer.from(frameOf(name)).toString("hex"));
  expect(decodeFromNode(frameOf(name))).toEqual(message);
});

test.each(Object.entries(GOLDEN_TO_NODE))("%s, to the node, is this frame", (name, message) => {
  expect(Buffer.from(encodeFrame(message)).toString("hex")).toBe(Buffer.from(frameOf(name)).toString("hex"));
  expect(decodeFromCoordinator(frameOf(name))).toEqual(message);
});

test("a message of the other direction is not taken", () => {
  for (const name of Object.keys(GOLDEN_TO_COORDINATOR)) expect(() => decodeFromCoordinator(frameOf(name))).toThrow();
  for (const name of Object.keys(GOLDEN_TO_NODE)) expect(() => decodeFromNode(frameOf(name))).toThrow();
});

test("every cut frame is refused", () => {
  for (const name of Object.keys(GOLDEN_TO_COORDINATOR)) {
    const frame = frameOf(name);
    for (let length = 0; length < frame.byteLength; length++) {
      expect(() => decodeFromNode(frame.subarray(0, length))).toThrow(expect.objectContaining({ code: "BadFrame" }));
    }
  }
});

const { hello } = GOLDEN_TO_COORDINATOR as { readonly hello: Extract<ToCoordinator, { type: "hello" }> };
test.each<[string, Record<string, unknown>]>([
  ["a node with no slots", { slots: 0 }],
  ["a fraction of a slot", { slots: 1.5 }],
  ["a name of 65 characters", { name: "x".repeat(65) }],
  ["an unknown kind of node", { kind: "phone" }],
  ["an unknown backend", { backends: ["fortran"] }],
  ["an attempt that is none", { running: ["../1"] }],
  ["a chunk with a short hash", { held: [{ key: "a/0/0/0", bytes: 1, hash: "00" }] }],
  ["a negative size", { held: [{ key: "a/0/0/0", bytes: -1, hash: null }] }],
  ["a size that is not a number", { memoryBytes: Number.NaN }],
  ["no token", { token: undefined }],
])("a hello with %s is refused", (_, change) => {
  const frame = encodeFrame({ ...hello, ...change } as ToCoordinator);
  expect(() => decodeFromNode(frame)).toThrow(expect.objectContaining({ code: "BadFrame" }));
});

test("what a newer version adds to a message is left out, not refused", () => {
  const newer = encodeFrame({ ...hello, mood: "cheerful" } as ToCoordinator);
  expect(decodeFromNode(newer)).toEqual(hello);
});

test("no frame over the limit is made or taken", () => {
  const value = new Uint8Array(MAX_FRAME_BYTES);
  const { assign } = GOLDEN_TO_NODE as { readonly assign: Extract<ToNode, { type: "assign" }> };
  const leases = assign.leases.map((lease) => ({ ...lease, input: { kind: "value" as const, value } }));
  expect(() => encodeFrame({ ...assign, leases })).toThrow(expect.objectContaining({ code: "FrameTooLarge" }));
  expect(() => decodeFromCoordinator(new Uint8Array(MAX_FRAME_BYTES + 1))).toThrow(
    expect.objectContaining({ code: "BadFrame" }),
  );
});
