import { expect, test } from "vitest";
import { tabLacks } from "./tab-lacks.ts";

test("a tab names what it lacks, and why where a secure context would give it", () => {
  expect(tabLacks(true, ["js", "wasm", "webgpu", "webgl"])).toEqual([]);
  expect(tabLacks(true, ["js", "wasm"])).toEqual(["WebGPU", "WebGL"]);
  expect(tabLacks(false, ["js", "wasm", "webgl"])).toEqual(["secure context: no WebGPU, OPFS, native SHA-256"]);
});

test("every line fits the wire", () => {
  for (const line of [...tabLacks(false, []), ...tabLacks(true, [])]) expect(line.length).toBeLessThanOrEqual(64);
});
