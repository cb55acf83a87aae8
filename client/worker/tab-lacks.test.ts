import { expect, test } from "vitest";
import { tabLacks } from "./tab-lacks.ts";

test("a tab names what it lacks, and why where a secure context would give it", () => {
  expect(tabLacks(true, ["js", "wasm", "webgpu", "webgl"], "there")).toEqual([]);
  expect(tabLacks(true, ["js", "wasm"], "there")).toEqual(["WebGPU", "WebGL"]);
  expect(tabLacks(false, ["js", "wasm", "webgl"], "there")).toEqual([
    "secure context: no WebGPU, OPFS, native SHA-256",
  ]);
});

test("a tab says whether others cannot connect to it, or may not", () => {
  const all = ["js", "wasm", "webgpu", "webgl"] as const;
  expect(tabLacks(true, all, "missing")).toEqual(["connections to other nodes: no WebRTC here"]);
  expect(tabLacks(true, all, "unwanted")).toEqual(["connections to other nodes: not wanted here"]);
});

test("every line fits the wire", () => {
  const lines = [...tabLacks(false, [], "missing"), ...tabLacks(true, [], "unwanted")];
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(64);
});
