import { expect, test } from "vitest";
import { aliasSampler, zipfCsv, zipfWords } from "./zipf.ts";

const text = (rows: number, words: number, seed: number): string => {
  const parts = [...zipfCsvCopies(rows, words, seed)];
  return Buffer.concat(parts).toString();
};
function* zipfCsvCopies(rows: number, words: number, seed: number): Generator<Buffer> {
  for (const chunk of zipfCsv({ rows, words, seed })) yield Buffer.from(chunk);
}

test("words are distinct and have 1 to 24 bytes", () => {
  const words = zipfWords({ words: 20_000, seed: 1 });
  expect(new Set(words).size).toBe(20_000);
  const lengths = words.map((word) => Buffer.byteLength(word));
  expect(Math.min(...lengths)).toBe(1);
  expect(Math.max(...lengths)).toBe(24);
  expect(words.some((word) => /[äöüß]/.test(word))).toBe(true);
});

test("the alias table keeps the weights", () => {
  const weights = Float64Array.of(8, 1, 4, 3);
  const sample = aliasSampler(weights);
  const steps = 512;
  const drawn = [0, 0, 0, 0];
  for (let column = 0; column < 4; column++) {
    for (let coin = 0; coin < steps; coin++) {
      const index = sample(column * 2 ** 30, coin * (2 ** 32 / steps));
      drawn[index] = (drawn[index] ?? 0) + 1;
    }
  }
  expect(drawn.map((count) => (count * 16) / (4 * steps))).toEqual([8, 1, 4, 3]);
});

test("rows are the same for a seed, others for another", () => {
  const rows = text(5_000, 100, 7);
  expect(text(5_000, 100, 7)).toBe(rows);
  expect(text(5_000, 100, 8)).not.toBe(rows);
});

test("a row is a word and a value of 1 to 10, and the first rank is as frequent as Zipf's law says", () => {
  const [first] = zipfWords({ words: 100, seed: 7 });
  const [header, ...rows] = text(20_000, 100, 7).trimEnd().split("\n");
  expect(header).toBe("key,value");
  expect(rows).toHaveLength(20_000);
  expect(rows.every((row) => /^[a-zäöüß]+,([1-9]|10)$/.test(row))).toBe(true);
  const share = rows.filter((row) => row.startsWith(`${first},`)).length / 20_000;
  // 1 over the 100th harmonic number; three standard deviations of the share are 0.0084.
  expect(share).toBeGreaterThan(0.1928 - 0.0084);
  expect(share).toBeLessThan(0.1928 + 0.0084);
});
