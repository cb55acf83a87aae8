import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { countTuplesWasm } from "./count-wasm.ts";
import { countTuplesJs } from "./count-js.ts";
import { csvField } from "./csv.ts";
import { kernelOf } from "./kernel.ts";
import { kernelBytes } from "./testing.ts";
import { eachTuple, parseAlphabet, type TupleSpec } from "./tuples.ts";
import { createTupleWriter } from "./tuples-csv.ts";

const spec = (changes: Partial<TupleSpec> & { letters?: string } = {}): TupleSpec => ({
  seed: 1,
  keyLength: 3,
  maxValue: 10,
  alphabet: parseAlphabet(changes.letters ?? "A-Z") ?? new Uint8Array(),
  ...changes,
});

function tuplesOf(of: TupleSpec, start: number, count: number): [string, number][] {
  const tuples: [string, number][] = [];
  eachTuple(of, { start, count }, (key, value) => tuples.push([key, value]));
  return tuples;
}

/** Pearson's statistic against equal chances. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((total, count) => total + count, 0) / counts.length;
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
}
/** Wilson and Hilferty's approximation of chi-square's upper 10⁻⁶ quantile. */
function criticalValue(freedom: number): number {
  return freedom * (1 - 2 / (9 * freedom) + 4.7534 * Math.sqrt(2 / (9 * freedom))) ** 3;
}

test("known answers: the first tuples of seed 1", () => {
  expect(tuplesOf(spec(), 0, 4).map(String)).toEqual(["XDV,9", "PFY,8", "RMH,9", "MJN,7"]);
});

test("a tuple is what the specification makes of the words of the sequence", () => {
  for (const [letters, perWord] of [
    ["A-Z", 4],
    ["a-z0-9", 3],
  ] as const) {
    const of = spec({ letters, keyLength: 7, maxValue: 1000, seed: 77 });
    const rng = philoxRng(77, 0);
    const expected = Array.from({ length: 9 }, () => {
      const digits = Array.from({ length: Math.ceil(7 / perWord) }, () => {
        let rest = BigInt(rng.uint32());
        return Array.from({ length: perWord }, () => {
          const product = rest * BigInt(of.alphabet.length);
          rest = product & 0xffffffffn;
          return Number(product >> 32n);
        });
      });
      const key = digits
        .flat()
        .slice(0, 7)
        .map((digit) => String.fromCharCode(of.alphabet[digit] as number));
      return [key.join(""), 1 + Number((BigInt(rng.uint32()) * 1000n) >> 32n)];
    });
    expect(tuplesOf(of, 0, 9)).toEqual(expected);
  }
});

test("any range of tuples can be made alone, also where the words' numbers pass 32 bits", () => {
  const whole = tuplesOf(spec({ keyLength: 5 }), 0, 40);
  expect([...tuplesOf(spec({ keyLength: 5 }), 0, 7), ...tuplesOf(spec({ keyLength: 5 }), 7, 33)]).toEqual(whole);
  const far = 2 ** 33 + 1;
  expect(tuplesOf(spec(), far, 9).slice(4)).toEqual(tuplesOf(spec(), far + 4, 5));
});

test("keys, values and pairs of neighbours are equally likely (chi-square)", () => {
  const letters = 4;
  const of = spec({ letters: "A-D", keyLength: 3, maxValue: 10, seed: 3 });
  const tuples = tuplesOf(of, 0, 200_000).map(([key, value]) => ({
    key: [...key].reduce((rank, letter) => rank * letters + letter.charCodeAt(0) - 65, 0),
    value: value - 1,
  }));
  const count = (cells: number, cell: (index: number) => number) => {
    const counts = new Array<number>(cells).fill(0);
    for (let index = 1; index < tuples.length; index++) counts[cell(index)] = (counts[cell(index)] ?? 0) + 1;
    return counts;
  };
  const at = (index: number) => tuples[index] as { key: number; value: number };
  const tests = [
    count(64, (index) => at(index).key),
    count(10, (index) => at(index).value),
    count(640, (index) => at(index).key * 10 + at(index).value),
    count(4096, (index) => at(index - 1).key * 64 + at(index).key),
    count(100, (index) => at(index - 1).value * 10 + at(index).value),
  ];
  for (const counts of tests) expect(chiSquare(counts)).toBeLessThan(criticalValue(counts.length - 1));
  // The test itself can fail: a slight bias is seen.
  expect(chiSquare([21_500, ...new Array<number>(9).fill(20_000)])).toBeGreaterThan(criticalValue(9));
});

const SPECS = [
  spec(),
  spec({ keyLength: 1, letters: "x" }),
  spec({ keyLength: 5, seed: 0xffffffff, maxValue: 0xffffffff }),
  spec({ keyLength: 8, letters: "A-Za-z0-9" }),
  spec({ keyLength: 9, letters: '0-9,"' }),
  spec({ keyLength: 27, letters: "a-z_" }),
  spec({ keyLength: 2, letters: " -~", maxValue: 1 }),
];

test.each(SPECS)("wasm makes and writes the tuples of %j as js does", async (of) => {
  const write = await createTupleWriter(kernelBytes, of);
  const kernel = kernelOf((await WebAssembly.instantiate(kernelBytes, {})).instance.exports);
  for (const range of [
    { start: 0, count: 0 },
    { start: 5, count: 3000 },
    { start: 2 ** 34 + 3, count: 17 },
  ]) {
    const expected = tuplesOf(of, range.start, range.count).map(([key, value]) => `${csvField(key)},${value}\n`);
    const text = Array.from(write(range), (piece) => new TextDecoder().decode(piece)).join("");
    expect(text).toBe(expected.join(""));
    const context = {
      broadcast: { spec: of, splitters: ["B", "Q", "g"] },
      allocate: (bytes: number) => new Uint8Array(bytes),
      progress() {},
    } as never;
    expect(countTuplesWasm(kernel, range, context)).toEqual(countTuplesJs(range, context));
  }
});

test.each([
  ["A-C", "ABC"],
  ["zyx", "xyz"],
  ["a-cb-d", "abcd"],
  ["-a", "-a"],
  ["a-", "-a"],
  ["0-2_", "012_"],
])("the alphabet %s", (text, letters) => {
  expect(String.fromCharCode(...(parseAlphabet(text) ?? []))).toBe(letters);
});
test.each(["", "Z-A", "é", "a\nb"])("%j is no alphabet", (text) => expect(parseAlphabet(text)).toBeUndefined());
