import { expect, test } from "vitest";
import { philoxRng } from "../rng.ts";
import { exp } from "./exp.ts";
import { log } from "./log.ts";
import { normalDeviate } from "./normal.ts";
import { cos, sin } from "./trigonometry.ts";

const bits = (x: number): bigint => new BigUint64Array(Float64Array.of(x).buffer)[0] ?? 0n;
/** How many doubles lie between two of one sign. */
const ulps = (a: number, b: number): number => {
  const distance = Number(bits(a) - bits(b));
  return distance < 0 ? -distance : distance;
};

const uniform = (from: number, to: number, count: number): number[] => {
  const rng = philoxRng(7, 1);
  return Array.from({ length: count }, () => from + (to - from) * rng.unit());
};

// The engine's own functions are within 1 ulp of the truth, and so are ours: at most 2 apart.
test.each([
  ["exp", exp, Math.exp, uniform(-745, 709, 20_000)],
  ["exp near 0", exp, Math.exp, uniform(-1, 1, 20_000)],
  ["log", log, Math.log, uniform(0, 1e9, 20_000)],
  ["log near 1", log, Math.log, uniform(0.5, 2, 20_000)],
  ["log of subnormal numbers", log, Math.log, uniform(0, 2 ** -1022, 1000)],
  ["sin", sin, Math.sin, uniform(-10, 10, 20_000)],
  ["sin of large numbers", sin, Math.sin, uniform(-(2 ** 20), 2 ** 20, 20_000)],
  ["cos", cos, Math.cos, uniform(-10, 10, 20_000)],
  ["cos of large numbers", cos, Math.cos, uniform(-(2 ** 20), 2 ** 20, 20_000)],
] as const)("%s is within 2 ulp of the engine's", (_name, ours, engines, inputs) => {
  const worst = inputs.reduce((most, x) => Math.max(most, ulps(ours(x), engines(x))), 0);
  expect(worst).toBeLessThanOrEqual(2);
});

test("sin and cos stay exact where they cross zero", () => {
  for (let k = 1; k < 600_000; k += 997) {
    const x = k * (Math.PI / 2);
    const [ours, engines] = k % 2 === 0 ? [sin(x), Math.sin(x)] : [cos(x), Math.cos(x)];
    expect(ulps(ours, engines)).toBeLessThanOrEqual(2);
  }
});

test("special values", () => {
  expect([exp(0), exp(Number.NEGATIVE_INFINITY), exp(710), exp(-746)]).toEqual([1, 0, Number.POSITIVE_INFINITY, 0]);
  expect(exp(-745)).toBe(5e-324);
  expect([log(1), log(0), log(Number.POSITIVE_INFINITY)]).toEqual([
    0,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
  expect([log(-1), exp(Number.NaN), log(Number.NaN), sin(Number.NaN), cos(Number.NaN)].every(Number.isNaN)).toBe(true);
  expect(Object.is(sin(-0), -0)).toBe(true);
  expect(cos(0)).toBe(1);
  expect(() => sin(2 ** 21)).toThrow(RangeError);
});

test("the same bits on every engine", () => {
  const inputs = [1, 0.1, 2.5, 17, 1e-9, 700];
  const hex = (x: number) => bits(x).toString(16).padStart(16, "0");
  const table = inputs.map((x) => [x, hex(exp(x)), hex(log(x)), hex(sin(x)), hex(cos(x))].join(" "));
  expect(table).toMatchInlineSnapshot(`
    [
      "1 4005bf0a8b14576a 0000000000000000 3feaed548f090cee 3fe14a280fb5068c",
      "0.1 3ff1aec7b35a00d4 c0026bb1bbb55515 3fb98eaecb8bcb2c 3fefd712f9a817c1",
      "2.5 40285d6fd931e0bb 3fed5240f0e0e078 3fe326af0dcfcab0 bfe9a2f7ef858b7d",
      "17 417709348c0ea4f9 4006aa6bc1fa7f7a bfeec3c4ac42882b bfd19c46b07f58e7",
      "1e-9 3ff000000044b830 c034b927f32bffb8 3e112e0be826d695 3ff0000000000000",
      "700 7f0d945df4f8ec8e 401a344e6741ebab 3fe16834defaadb0 bfead9f150b2e096",
    ]
  `);
});

test("normal deviates have mean 0, variance 1 and the right tails", () => {
  const rng = philoxRng(11, 0);
  const count = 40_000;
  const draws = Array.from({ length: count }, () => normalDeviate(rng));
  const mean = draws.reduce((sum, x) => sum + x, 0) / count;
  const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
  const beyondTwo = draws.filter((x) => Math.abs(x) > 2).length / count;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(variance - 1)).toBeLessThan(0.03);
  expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.005);
});
