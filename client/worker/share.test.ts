import { expect, test } from "vitest";
import type { Value } from "../../shared/value.ts";
import { estimateBytes, freeBytes, memoryOf, ownBytes, shareArrays } from "./share.ts";

test("large arrays come to lie in shared memory, with their type and values", () => {
  const large = Float64Array.from({ length: 1000 }, (_, index) => index / 3);
  const shared = shareArrays({ rows: [large.subarray(10, 900)], note: "x" }) as { rows: Float64Array[]; note: string };
  const [rows] = shared.rows;
  expect(rows?.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(rows?.byteLength).toBe(rows?.buffer.byteLength);
  expect(Float64Array.from(rows ?? [])).toEqual(large.slice(10, 900));
  expect(shared.note).toBe("x");
});

test("what is shared already passes as it is; small views lose what lies around them", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(5000), 100, 2000);
  expect(shareArrays(shared)).toBe(shared);
  const view = new Uint8Array(1_000_000).subarray(5, 10);
  expect((shareArrays(view) as Uint8Array).buffer.byteLength).toBe(5);
});

test("what is no plain data is refused", () => {
  const output = { callback: () => 1 } as unknown as Value;
  expect(() => shareArrays(output)).toThrow("A function cannot pass between tasks");
});

test("a value weighs about what it holds", () => {
  expect(estimateBytes(new Float64Array(1000))).toBe(8000);
  expect(estimateBytes({ key: "abc", list: [1, 2, null] })).toBe(8 + 3 + 11 + 4 + 8 + 3 * 8);
});

test("what is moved lies alone in its buffer, and is freed at once", () => {
  const whole = Uint8Array.of(1, 2, 3, 4);
  expect(ownBytes(whole)).toBe(whole);
  const part = ownBytes(whole.subarray(1, 3));
  expect([part, part.buffer.byteLength]).toEqual([Uint8Array.of(2, 3), 2]);
  expect(freeBytes(part)).toBe(true);
  expect(freeBytes(part)).toBe(true);
  expect(part.buffer.detached).toBe(true);
  expect(whole).toHaveLength(4);
});

test("shared memory is not freed", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(1);
  expect(freeBytes(shared)).toBe(false);
  expect(ownBytes(shared)).toEqual(Uint8Array.of(1, 1, 1, 1));
  expect(shared[0]).toBe(1);
});

test("a value's memory is that of all arrays in it", () => {
  const [one, two] = [new Uint8Array(3), new Float64Array(2)];
  expect(memoryOf({ list: [one.subarray(1), { two }], note: "x", none: null })).toEqual([one.buffer, two.buffer]);
});
