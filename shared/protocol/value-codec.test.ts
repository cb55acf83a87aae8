import { expect, test } from "vitest";
import type { Value } from "../value.ts";
import { decodeValue, encodeValue, MAX_DEPTH } from "./value-codec.ts";

const roundTrip = (value: Value): Value => decodeValue(encodeValue(value));

test.each<[string, Value]>([
  ["null", null],
  ["booleans", [true, false]],
  ["integers of every size", [0, 127, -32, 255, -129, 65_536, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1]],
  ["fractions and extremes", [0.1, -1e308, 5e-324, Number.POSITIVE_INFINITY, Number.NaN]],
  ["big integers", [0n, -1n, 2n ** 64n, -(2n ** 100n)]],
  ["text", ["", "ü🔥", "a\0b", "x".repeat(70_000)]],
  ["nested objects", { a: { b: [{ c: 1 }] }, "": "empty key" }],
  ["bytes", Uint8Array.of(0, 255)],
  ["small integers", [Int8Array.of(-128, 127), Uint16Array.of(65_535), Int16Array.of(-32_768)]],
  ["integers", [Uint32Array.of(2 ** 32 - 1), Int32Array.of(-(2 ** 31))]],
  ["long integers", [BigInt64Array.of(-(2n ** 63n)), BigUint64Array.of(2n ** 64n - 1n)]],
  ["floats", [Float32Array.of(0.5, -0), Float64Array.of(0.1, -0, Number.NaN)]],
  ["empty arrays", [new Float64Array(0), [], {}]],
])("%s come back as they were", (_, value) => {
  expect(roundTrip(value)).toEqual(value);
});

test("a view of a larger buffer sends its own elements alone, shared memory too", () => {
  const whole = Float64Array.of(1, 2, 3, 4);
  expect(roundTrip(whole.subarray(1, 3))).toEqual(Float64Array.of(2, 3));
  const shared = new Uint32Array(new SharedArrayBuffer(8));
  shared.set([7, 8]);
  expect(roundTrip(shared)).toEqual(Uint32Array.of(7, 8));
  expect(encodeValue(whole.subarray(0, 0)).byteLength).toBeLessThan(10);
});

test.each([0, 255, 256, 65_535, 65_536, 70_000])("%i bytes alone are encoded as they are within a value", (length) => {
  const bytes = Uint8Array.from({ length }, (_, index) => index % 251);
  const within = encodeValue([bytes]);
  expect(Buffer.compare(encodeValue(bytes), within.subarray(1))).toBe(0);
  expect(Buffer.compare(roundTrip(bytes) as Uint8Array, bytes)).toBe(0);
});

test("a key without a value is no key", () => {
  expect(encodeValue({ a: 1, b: undefined })).toEqual(encodeValue({ a: 1 }));
});

test("what is nested too deep is not encoded", () => {
  const nested = (levels: number): Value => (levels === 1 ? 0 : [nested(levels - 1)]);
  expect(roundTrip(nested(MAX_DEPTH))).toEqual(nested(MAX_DEPTH));
  expect(() => encodeValue(nested(MAX_DEPTH + 1))).toThrow();
});

test("bytes that are no value are BadFrame", () => {
  // Nothing, a reserved byte, a cut array, a key __proto__, an unknown extension's cut body, rest after the value.
  for (const hex of ["", "c1", "92", "81a95f5f70726f746f5f5f01", "c80010070000", "0000"]) {
    const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
    expect(() => decodeValue(bytes), hex).toThrow(expect.objectContaining({ code: "BadFrame" }));
  }
});

test("typed arrays come out of a Buffer, which is a part of a pool, as out of any bytes", () => {
  const value = { doubles: Float64Array.of(1.5, -2), integers: BigInt64Array.of(-7n) };
  expect(decodeValue(Buffer.from(encodeValue(value)))).toEqual(value);
});

test("a typed array whose bytes are no whole number of elements is BadFrame", () => {
  // Extension 7 (Float64Array) with five bytes.
  const bytes = Uint8Array.of(0xc7, 5, 7, 1, 2, 3, 4, 5);
  expect(() => decodeValue(bytes)).toThrow(expect.objectContaining({ code: "BadFrame" }));
});
