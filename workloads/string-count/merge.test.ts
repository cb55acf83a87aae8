/** Merging buckets that are sorted runs: the WASM kernel against the reference. */
import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { encodeEntries, type Entry } from "./entries.ts";
import { kernelOf } from "./kernel.ts";
import { mergeJs } from "./merge-js.ts";
import { mergeWasm } from "./merge-wasm.ts";
import type { MergePlan, MergeSummary } from "./merging.ts";
import { contextOf, kernelBytes, utf8 } from "./testing.ts";

type Rng = ReturnType<typeof philoxRng>;

const module = new WebAssembly.Module(kernelBytes);
const newKernel = () => kernelOf(new WebAssembly.Instance(module, {}).exports);

/** What a kernel writes and reports, or with what it fails. */
function outcomeOf(merge: (context: Parameters<typeof mergeJs>[1]) => Uint8Array, top: number) {
  const reports: MergeSummary[] = [];
  const plan: MergePlan = { header: utf8("key,value\n"), top, subject: "test" };
  const context = contextOf(plan, (summary: MergeSummary) => reports.push(summary));
  try {
    return { text: Buffer.from(merge(context)).toString("latin1"), reports };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function expectSame(kernel: ReturnType<typeof newKernel>, parts: readonly Uint8Array[], top = 3): void {
  const reference = outcomeOf((context) => mergeJs(parts, context), top);
  expect(outcomeOf((context) => mergeWasm(kernel, parts, context), top)).toEqual(reference);
}

const LETTERS = ["ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ab", "09 ,", 'x"y\r\n', "\u00c3\u00a4\u00c3\u00b6"];
const MAGNITUDES = [7n, 100_000_000n, 2n ** 47n, 2n ** 49n, 2n ** 59n];

/** A run of sorted keys, some of them several times. */
function run(rng: Rng, keys: number, longest: number, letters: string, magnitude: bigint): Uint8Array {
  const entries: Entry[] = [];
  for (let key = 0; key < keys; key++) {
    const text = Array.from({ length: rng.below(longest + 1) }, () => letters[rng.below(letters.length)]).join("");
    const sum = (BigInt(rng.uint32()) * magnitude) >> 31n;
    entries.push({ key: text, sum: rng.below(3) === 0 ? -sum : sum });
  }
  return encodeEntries(entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))("random runs %i", { timeout: 60_000 }, (seed) => {
  const rng = philoxRng(seed, 7);
  const kernel = newKernel();
  const letters = LETTERS[seed % LETTERS.length] ?? "";
  const longest = [3, 5, 8, 24, 9, 30][seed % 6] ?? 3;
  const magnitude = MAGNITUDES[(seed >> 1) % MAGNITUDES.length] ?? 7n;
  for (let round = 0; round < 3; round++) {
    // Runs of very different sizes, so that a chunk of one is a part of another.
    const parts = Array.from({ length: 1 + rng.below(6) }, () =>
      run(rng, [0, 1, 30, 400, 3000, 20_000][rng.below(6)] ?? 0, longest, letters, magnitude),
    );
    expectSame(kernel, parts, [0, 1, 10][round]);
  }
});

test("a key in many runs and often in one", () => {
  const kernel = newKernel();
  const many = encodeEntries(Array.from({ length: 30_000 }, () => ({ key: "one", sum: 5n })));
  expectSame(kernel, [many, many, encodeEntries([{ key: "on", sum: 1n }]), many]);
});

test("sums of every number of digits", () => {
  const entries = Array.from({ length: 19 }, (_, digits) => 10n ** BigInt(digits)).flatMap((power, index) =>
    [power - 1n, power, power + 1n, -power].map((sum, which) => ({
      key: `${String.fromCharCode(97 + index)}${which}`,
      sum,
    })),
  );
  expectSame(newKernel(), [encodeEntries(entries)]);
});

test("the first sum that does not fit is named, the next merge is not disturbed", { timeout: 60_000 }, () => {
  const kernel = newKernel();
  const most = 2n ** 63n - 1n;
  for (const longer of ["", "12345678", "a long key of more than 24 bytes"]) {
    // Every second key is longer: of both kinds some sums do not fit, and either may be the first.
    const rows = (sum: bigint, bad: readonly number[]) =>
      encodeEntries(
        Array.from({ length: 9000 }, (_, index) => ({
          key: `${10_000 + index}${index % 2 === 0 ? "" : longer}`,
          sum: bad.includes(index) ? sum : 1n,
        })),
      );
    for (const bad of [[4321, 8000], [4320, 8001], [4321], [4320], [4320, 4321]]) {
      expectSame(kernel, [rows(most, bad), rows(1n, bad)]);
      expectSame(kernel, [rows(most, bad), rows(-1n, bad)]);
      expectSame(kernel, [rows(-most, bad), rows(-1n, bad), rows(-1n, bad)]);
    }
  }
});
