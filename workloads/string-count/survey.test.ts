/** Where a sample says to cut: the WASM kernel against the reference. */
import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { encodeEntries, type Entry } from "./entries.ts";
import { kernelOf } from "./kernel.ts";
import { type SurveyPlan, surveyJs, surveyWasm } from "./survey.ts";
import { contextOf, kernelBytes } from "./testing.ts";

const module = new WebAssembly.Module(kernelBytes);
const kernel = kernelOf(new WebAssembly.Instance(module, {}).exports);

/** What both kernels say. */
function splittersOf(parts: readonly (readonly Entry[])[], plan: SurveyPlan): readonly string[] {
  const encoded = parts.map(encodeEntries);
  const context = contextOf(plan, () => {});
  const splitters = surveyJs(encoded, context);
  expect(surveyWasm(kernel, encoded, context)).toEqual(splitters);
  return splitters;
}

const numbered = (count: number, from: number, sum: bigint): Entry[] =>
  Array.from({ length: count }, (_, index) => ({ key: String(from + index), sum }));

const plan: SurveyPlan = { sampledShare: 0.001, taskMemory: null };

test("a sample of few keys, each seen often, makes one bucket; one of new keys alone makes many", () => {
  expect(splittersOf([numbered(100, 1000, 50n)], plan)).toEqual([]);
  const splitters = splittersOf([numbered(5000, 10_000, 1n)], plan);
  expect(splitters).toHaveLength(63);
  expect(splitters[0]).toBe("10078");
  expect(splittersOf([], { ...plan, sampledShare: 0.5 })).toEqual([]);
});

test("keys seen in several places count once, and little memory makes more buckets", () => {
  const same = numbered(2000, 10_000, 1n);
  expect(splittersOf([same, same, same], plan)).toEqual([]);
  expect(splittersOf([same, same, same], { ...plan, taskMemory: 2 ** 16 }).length).toBeGreaterThan(1);
});

test.each([8, 24, 100])("keys of up to %i bytes", (longest) => {
  const rng = philoxRng(longest, 3);
  const run = (): Entry[] =>
    Array.from({ length: 1500 }, () => ({
      key: Array.from({ length: rng.below(longest + 1) }, () => "abc"[rng.below(3)]).join(""),
      sum: BigInt(1 + rng.below(3)),
    })).sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const splitters = splittersOf([run(), run(), run()], { ...plan, taskMemory: 2 ** 14 });
  expect(splitters.length).toBeGreaterThan(3);
});
