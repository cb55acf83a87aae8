import { expect, test } from "vitest";
import { tabLacks } from "./tab-lacks.ts";

test("a tab names what it lacks, and why where a secure context would give it", () => {
  expect(tabLacks(true, ["js", "wasm", "webgpu", "webgl"], "there", true)).toEqual([]);
  expect(tabLacks(true, ["js", "wasm"], "there", true)).toEqual([
    "WebGPU: this browser offers no adapter",
    "WebGL2 that computes with floats",
  ]);
  expect(tabLacks(false, ["js", "wasm", "webgl"], "there", true)).toEqual([
    "secure context: no WebGPU, OPFS, native SHA-256",
  ]);
});

test("a tab says whether others cannot connect to it, or may not", () => {
  const all = ["js", "wasm", "webgpu", "webgl"] as const;
  expect(tabLacks(true, all, "missing", true)).toEqual(["connections to other nodes: no WebRTC here"]);
  expect(tabLacks(true, all, "unwanted", true)).toEqual(["connections to other nodes: not wanted here"]);
});

test("a tab whose browser gives it no files says so", () => {
  const all = ["js", "wasm", "webgpu", "webgl"] as const;
  expect(tabLacks(true, all, "there", false)).toEqual(["private file system: large outputs stay in memory"]);
});

test("every line fits the wire", () => {
  const lines = [...tabLacks(false, [], "missing", false), ...tabLacks(true, [], "unwanted", false)];
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(64);
});
