import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { failureOf, resultText, runBoth, utf8 } from "./testing.ts";

/** More rows than come before the kernel chooses frequent keys, and chooses again. */
const ROWS = 150_000;
const LETTERS = [..."abcdefgä€"];

/** Records whose keys have 1 to 24 bytes, a few of them most of the time. */
function records(seed: number, count: number): string[] {
  const rng = philoxRng(seed, 0);
  const word = () => {
    const letters = Array.from({ length: 1 + rng.below(16) }, () => LETTERS[rng.below(LETTERS.length)]).join("");
    return utf8(letters).length > 24 ? "abcdefgh" : letters;
  };
  const words = Array.from({ length: 20_000 }, word);
  return Array.from({ length: count }, () => {
    const rank = Math.floor(words.length / (1 + rng.below(words.length)));
    return `${words[rng.below(3) === 0 ? rng.below(words.length) : rank % words.length]},${rng.below(2000)}\n`;
  });
}

const header = "key,value\n";
const csv = (rows: readonly string[]) => utf8(header + rows.join(""));

/** The file with another key in the row at `place`: bytes that are not UTF-8. */
function withBadKey(rows: readonly string[], place: number, key: readonly number[]): Uint8Array {
  const before = csv(rows.slice(0, place));
  const after = utf8(`,1\n${rows.slice(place + 1).join("")}`);
  return Uint8Array.from([...before, ...key, ...after]);
}

test.each([1, 2])("few keys are most of the rows, file %i", { timeout: 60_000 }, async (seed) => {
  const rows = records(seed, ROWS);
  const result = await runBoth({ partitions: 1 }, csv(rows));
  const sums = new Map<string, number>();
  for (const row of rows) {
    const [key = "", value = ""] = row.trim().split(",");
    sums.set(key, (sums.get(key) ?? 0) + Number(value));
  }
  expect(resultText(result).split("\n").slice(1, -1).sort()).toEqual(
    Array.from(sums, ([key, sum]) => `${key},${sum}`).sort(),
  );
});

test("sums of frequent keys that overflow after large values", { timeout: 60_000 }, async () => {
  const most = 2n ** 63n - 1n;
  const large = [most, -5n, most, -most, -most, 3n].flatMap((value) => [`a,${value}\n`, `abcdefghijkl,${value}\n`]);
  const frequent = Array.from({ length: 20_000 }, () => ["a,1\n", "abcdefghijkl,7\n"]).flat();
  const result = await runBoth({ partitions: 2 }, csv([...frequent, ...large, ...frequent]));
  expect(resultText(result)).toBe(`${header}a,39998\nabcdefghijkl,279998\n`);
});

const BAD_KEYS = {
  "a short one": [0x61, 0xff],
  "a long one": [...utf8("abcdefghijkl"), 0xc3],
  "one that begins as another does": [...utf8("abcdefgh"), 0xe2, 0x82],
  "one of 24 bytes": [...utf8("abcdefghijklmnopqrstuvw"), 0xc3],
  "an overlong form": [...utf8("abcdefghij"), 0xc0, 0x80, 0x61],
  "a surrogate": [...utf8("abcdefghij"), 0xed, 0xa0, 0x80],
};

test.each(Object.entries(BAD_KEYS))("a key that is not UTF-8 among many: %s", { timeout: 60_000 }, async (_, key) => {
  const rows = records(3, 30_000);
  for (const place of [17, 29_001]) {
    const file = withBadKey(rows, place, key);
    expect(await failureOf({ partitions: 1 }, file)).toContain(`row ${place + 2}`);
    const skipped = await runBoth({ partitions: 1, onBadRow: "skip" }, file);
    expect(skipped.metrics).toMatchObject({ tuples: rows.length - 1, skippedRows: 1 });
  }
});

test("several bad keys in a batch are passed over", async () => {
  const rows = records(4, 500);
  const file = utf8(rows.join(""));
  const bad = Uint8Array.from([0xff, ...utf8(",1\n"), ...utf8("abcdefghi"), 0xff, ...utf8(",1\n")]);
  const all = Uint8Array.from([...utf8(header), ...file, ...bad, ...file, ...bad, ...file]);
  const result = await runBoth({ partitions: 1, onBadRow: "skip" }, all);
  expect(result.metrics).toMatchObject({ tuples: 1500, skippedRows: 4 });
});

test("so many parts that their wide keys are merged in a table", async () => {
  const rows = records(5, 2000);
  const few = await runBoth({ partitions: 3 }, csv(rows));
  const many = await runBoth({ partitions: 90 }, csv(rows));
  expect(resultText(many)).toBe(resultText(few));
});

test("so many wide keys that some have the same tag in the same bucket of the index", { timeout: 60_000 }, async () => {
  const rng = philoxRng(6, 0);
  const keys = Array.from({ length: 200_000 }, (_, index) => `${rng.below(2 ** 31)} of key ${index}`);
  const rows = keys.map((key, index) => `${key},${index}\n`);
  const result = await runBoth({ partitions: 1 }, csv([...rows, ...rows.reverse()]));
  expect(resultText(result).split("\n").slice(1, -1).sort()).toEqual(
    keys.map((key, index) => `${key},${2 * index}`).sort(),
  );
});

/** What a line of a file with wide keys may be besides plain: at the edge of it, or wrong. */
const ODD_LINES = [
  "abcdefghijkl,12345",
  "abcdefghijkl,12345678",
  "abcdefghijkl,123456789",
  "abcdefghijkl,-7",
  "abcdefghijkl,+7",
  "abcdefghijkl,7\r",
  "abcdefghijklmnopqrstuvwx,7",
  "abcdefghijklmnopqrstuvwx,12345678",
  "abcdefghijklmnopqrstuvwxy,7",
  '"abc,defghijk",7',
  'abc"defghijk,7',
  "abc\0defghijk,7",
  ",7",
  "",
  "abcdefghijkl,",
  "abcdefghijkl",
  "abcdefghijklmnopqrstuvwxyz0123456789",
  "abcdefghijkl,7,8",
  "abcdefghijkl,7x",
  "abcdefghijkl,1/2",
  "abcdefghijkl,1:2",
  "abcdefghijkl,ä",
];

test.each([1, 2, 3, 4])("lines that are not plain among wide keys, file %i", { timeout: 60_000 }, async (seed) => {
  const rng = philoxRng(seed, 7);
  const odd = () => `${ODD_LINES[rng.below(ODD_LINES.length)]}\n`;
  // From half of all lines to one of 200.
  const rows = records(seed, 20_000).map((row, index) => (rng.below(2 + Math.floor(index / 100)) === 0 ? odd() : row));
  await runBoth({ partitions: seed, onBadRow: "skip" }, csv(rows));
});
