import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { runDirect } from "../../shared/testing/direct-job.ts";
import { countCsvJs } from "./count-js.ts";
import { countCsvWasm } from "./count-wasm.ts";
import { decodeEntries } from "./entries.ts";
import { kernelOf } from "./kernel.ts";
import { finishReading } from "./reading.ts";
import { failureOf, kernelBytes, resultText, runBoth, utf8 } from "./testing.ts";
import stringCount from "./workload.ts";

const golden = (name: string) => readFileSync(join(import.meta.dirname, "golden", name));

/** A byte-wise comparison of UTF-8 keys. */
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function csvOf(rows: readonly (readonly [string, bigint])[], quoteAll: boolean, lineEnd: string): Uint8Array {
  const field = (text: string) => (quoteAll || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return utf8(`key,value${lineEnd}${rows.map(([key, value]) => `${field(key)},${value}${lineEnd}`).join("")}`);
}

function sumsOf(rows: readonly (readonly [string, bigint])[]): string {
  const sums = new Map<string, bigint>();
  for (const [key, value] of rows) sums.set(key, (sums.get(key) ?? 0n) + value);
  const lines = [...sums]
    .sort(([a], [b]) => byBytes(a, b))
    .map(([key, sum]) => {
      const field = /[",\r\n]/.test(key) ? `"${key.replaceAll('"', '""')}"` : key;
      return `${field},${sum}\n`;
    });
  return `key,value\n${lines.join("")}`;
}

const ALPHABETS = ["ab", 'abcdefgh,"\n\r', "aäжЖ中😀", "=+-@ \t'", "x"];

/** Keys of every length class, from few letters so that many repeat or share beginnings. */
function randomRows(seed: number, count: number): (readonly [string, bigint])[] {
  const rng = philoxRng(seed, 0);
  const letters = [...(ALPHABETS[seed % ALPHABETS.length] ?? "")];
  const longest = [3, 9, 30, 200][seed % 4] ?? 3;
  return Array.from({ length: count }, () => {
    const key = Array.from({ length: rng.below(longest + 1) }, () => letters[rng.below(letters.length)]).join("");
    const magnitude = BigInt(rng.uint32()) >> BigInt(rng.below(32));
    return [key, rng.below(2) === 0 ? magnitude : -magnitude * 1_000_003n] as const;
  });
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))("random file %i gives the sums of its rows", async (seed) => {
  const rows = randomRows(seed, 300);
  const file = csvOf(rows, seed % 3 === 0, seed % 2 === 0 ? "\n" : "\r\n");
  for (const partitions of [1, 2 + (seed % 5), 61]) {
    const result = await runBoth({ partitions }, file);
    expect(resultText(result)).toBe(sumsOf(rows));
    expect(result.metrics).toMatchObject({ tuples: 300, skippedRows: 0 });
    expect(result.progress).toBeGreaterThanOrEqual(300);
  }
});

test("line breaks in quotes at every border: wrong guesses are counted again", async () => {
  const rows = Array.from({ length: 60 }, (_, index) => [`a\nb,${index % 7}\n"c"\n`, BigInt(index)] as const);
  const file = csvOf(rows, true, "\n");
  const result = await runBoth({ partitions: file.length }, file);
  expect(resultText(result)).toBe(sumsOf(rows));
  expect(result.stages.some((stage) => stage.label.startsWith("count again"))).toBe(true);
});

test("a wrong guess that reads bad rows does no harm", async () => {
  const file = utf8(`key,value\n${'"x\nnot,a,row\ny",1\n'.repeat(30)}`);
  const result = await runBoth({ partitions: 50 }, file);
  expect(resultText(result)).toBe('key,value\n"x\nnot,a,row\ny",30\n');
});

test("keys of 10 kB, one key, an empty key, all keys distinct", async () => {
  const long = Array.from({ length: 40 }, (_, index) => [`${"k".repeat(10_000)}${index % 5}`, 1n] as const);
  const one = Array.from({ length: 500 }, () => ["k", 2n] as const);
  const empty = [
    ["", 1n],
    ["", 2n],
    ["a", 1n],
  ] as const;
  const distinct = Array.from({ length: 3000 }, (_, index) => [`${(index * 7919) % 3001}`, 1n] as const);
  for (const rows of [long, one, empty, distinct]) {
    for (const partitions of [1, 3]) {
      expect(resultText(await runBoth({ partitions }, csvOf(rows, false, "\n")))).toBe(sumsOf(rows));
    }
  }
});

test("more distinct short keys than a table holds in the cache, seldom and often seen", {
  timeout: 60_000,
}, async () => {
  const { stages, metrics } = await runBoth({ tuples: 150_000, keyLength: 6, partitions: 1 });
  expect(metrics).toMatchObject({ tuples: 150_000 });
  const often = Array.from({ length: 300_000 }, (_, index) => `${index % 70_000},1\n`);
  const seldom = Array.from({ length: 20_000 }, (_, index) => `s${index},1\n`);
  const counted = await runBoth({ header: false, partitions: 1 }, utf8([...often, ...seldom].join("")));
  expect(counted.metrics).toMatchObject({ tuples: 320_000, keys: 90_000, sum: 320_000 });
  expect(stages.map((stage) => stage.label)).toEqual(["generate", "merge"]);
});

test("sums that overflow on the way but fit in the end are exact", async () => {
  const most = 2n ** 63n - 1n;
  for (const key of ["k", "", "a key of 20 bytes...", "long ".repeat(9)]) {
    const rows = [most, most, -most, 5n, most, -most, -most, -7n, most, -most].map((value) => [key, value] as const);
    for (const partitions of [1, 2, 5]) {
      const result = await runBoth({ partitions }, csvOf([["other", 1n], ...rows], false, "\n"));
      expect(resultText(result)).toBe(sumsOf([["other", 1n], ...rows]));
    }
  }
});

test("any columns, delimiter and order; no header", async () => {
  const file = utf8("x;when;n;who\n1;a;-5;Ann\n2;b;7;Bob\n3;c;+1;Ann\n");
  const result = await runBoth({ key: "who", value: "n", delimiter: ";", partitions: 2 }, file);
  expect(resultText(result)).toBe("who,n\nAnn,-4\nBob,7\n");
  const bare = await runBoth({ header: false, key: "2", value: "1", delimiter: "\\t" }, utf8("1\tb\n2\ta\n3\tb"));
  expect(resultText(bare)).toBe("key,count\na,2\nb,4\n");
  const one = await runBoth({ key: "n", value: "n" }, utf8("n\n7\n\n7\r\n-1\n"));
  expect(resultText(one)).toBe("n,n\n-1,-1\n7,14\n");
});

test("BOM, CRLF, mixed line ends, blank lines, no last line end, a header alone", async () => {
  const file = utf8('\ufeff"key",value\r\na,1\n\nb,007\r\n\r\na,-0');
  const result = await runBoth({}, file);
  expect(resultText(result)).toBe("key,value\na,1\nb,7\n");
  expect(result.metrics).toMatchObject({ tuples: 3, keys: 2, sum: 8 });
  expect(resultText(await runBoth({}, utf8("key,value")))).toBe("key,value\n");
});

test("the greatest sums first, equal ones by key; long keys too", async () => {
  const rows = Array.from({ length: 50 }, (_, index) => [`key ${index % 25}`, BigInt(index % 5)] as const);
  const top = (await runBoth({ top: 3, partitions: 2 }, csvOf(rows, false, "\n"))).metrics["top"];
  expect(top).toEqual([
    { key: "key 14", sum: 8 },
    { key: "key 19", sum: 8 },
    { key: "key 24", sum: 8 },
  ]);
  const long = Array.from({ length: 9 }, (_, index) => [`${"ü,".repeat(3000)}${index}`, BigInt(index)] as const);
  const result = await runBoth({ top: 2 }, csvOf(long, false, "\n"));
  expect(result.metrics["top"]).toEqual([8, 7].map((index) => ({ key: `${"ü,".repeat(3000)}${index}`, sum: index })));
  expect((await runBoth({ top: 0 }, csvOf(rows, false, "\n"))).metrics["top"]).toEqual([]);
});

test("sums beyond 2⁵³ are decimal text in the metrics", async () => {
  const { metrics } = await runBoth({}, utf8("key,value\na,9007199254740992\nb,9223372036854775807\n"));
  expect(metrics).toMatchObject({
    sum: "9232379236109516799",
    top: [{ sum: "9223372036854775807" }, { sum: "9007199254740992" }],
  });
});

test("golden: generated tuples, and the same ones from a file", async () => {
  const expected = golden("counts.csv").toString();
  const generated = await runBoth({ tuples: 3000, keyLength: 2, alphabet: "A-J", partitions: 4, seed: 42 });
  expect(resultText(generated)).toBe(expected);
  const read = await runBoth({ partitions: 3 }, golden("tuples.csv"));
  expect(resultText(read)).toBe(expected.replace("key,count", "key,value"));
});

test("a sample counts keys, passes over bad rows and begins where it can", async () => {
  const file = utf8(`key,value\na,1\nb\n"c\nd",2\n${"e,5\nf,x\n".repeat(9)}"open`);
  const kernel = kernelOf((await WebAssembly.instantiate(kernelBytes, {})).instance.exports);
  const dialect = { delimiter: 44, columns: 2, key: 0, value: 1 };
  const reports: unknown[] = [];
  const context = {
    broadcast: { dialect, skipBadRows: false, isSample: true, splitters: [] },
    open: () => ({
      size: file.length,
      readInto: (target: Uint8Array, start: number) => {
        const bytes = file.subarray(start, start + target.length);
        target.set(bytes);
        return bytes.length;
      },
    }),
    allocate: (bytes: number) => new Uint8Array(bytes),
    progress() {},
    report: (summary: unknown) => reports.push(summary),
  } as never;
  for (let start = 10; start < file.length; start += 3) {
    const part = {
      range: { source: 0, start, end: Math.min(start + 20, file.length) },
      first: start === 10 ? 10 : null,
    };
    const sample = finishReading(countCsvJs(part, context));
    expect(finishReading(countCsvWasm(kernel, part, context))).toEqual(sample);
    expect(reports.pop()).toEqual(reports.pop());
  }
  const whole = { range: { source: 0, start: 10, end: file.length }, first: 10 };
  const [bucket] = finishReading(countCsvJs(whole, context)) as Uint8Array[];
  expect(decodeEntries(bucket as Uint8Array)).toEqual([
    { key: "a", sum: 1n },
    { key: "c\nd", sum: 1n },
    { key: "e", sum: 9n },
  ]);
});

test("a part is read just as far as it was said to be", async () => {
  const file = utf8("abc,1\n".repeat(150_000));
  const kernel = kernelOf((await WebAssembly.instantiate(kernelBytes, {})).instance.exports);
  const dialect = { delimiter: 44, columns: 2, key: 0, value: 1 };
  let said = 0;
  let reached = 0;
  const context = {
    broadcast: { dialect, skipBadRows: false, isSample: false, splitters: [] },
    open: (_: number, end: number) => {
      said = end;
      reached = 0;
      return {
        size: file.length,
        readInto: (target: Uint8Array, start: number) => {
          const bytes = file.subarray(start, start + target.length);
          target.set(bytes);
          reached = Math.max(reached, start + bytes.length);
          return bytes.length;
        },
      };
    },
    allocate: (bytes: number) => new Uint8Array(bytes),
    progress() {},
    report() {},
  } as never;
  for (let bytes = 10_000; bytes < 900_000; bytes += 17_001) {
    const part = { range: { source: 0, start: 5, end: 5 + bytes }, first: null };
    await finishReading(countCsvWasm(kernel, part, context));
    expect(said).toBeGreaterThan(part.range.end);
    expect(reached).toBe(Math.min(said, file.length));
  }
});

test("keys that differ in their last bytes alone, but for one that differs in all", async () => {
  for (const length of [1, 3, 15]) {
    const rows = Array.from({ length: 6000 }, (_, index) => {
      const number = (index * 2897) % 6000;
      return [`${"k".repeat(length)}${10_000 + number}`, BigInt(index)] as const;
    });
    const odd = ["\u00ff~ABCDEFGHIJKLMNOP", 1n] as const;
    expect(resultText(await runBoth({ partitions: 1 }, csvOf([...rows, odd], false, "\n")))).toBe(
      sumsOf([...rows, odd]),
    );
  }
});

test("a file large enough is sampled, and cut into buckets between its keys", { timeout: 60_000 }, async () => {
  const rng = philoxRng(8, 0);
  const keys = Array.from({ length: 300_000 }, (_, index) => `${rng.uint32().toString(36)}-and-some-words-${index}`);
  const file = utf8(`key,value\n${keys.join(",1\n")},1\n`);
  const { artifacts, stages, metrics } = await runDirect(
    stringCount,
    { input: "in.csv" },
    {
      backend: "wasm",
      files: { "in.csv": file },
    },
  );
  expect(stages.find((stage) => stage.label === "count")?.outputs[0]?.length).toBe(8);
  expect(metrics).toMatchObject({ tuples: 300_000, keys: 300_000, sum: 300_000 });
  const expected = `key,value\n${keys.sort().join(",1\n")},1\n`;
  expect(new TextDecoder().decode(artifacts.get("counts.csv")) === expected).toBe(true);
});

test("keys of all lengths up to 30 bytes, some of them UTF-8, among plain ones and quoted ones", async () => {
  const key = (index: number): string => {
    const letters = (index % 3 === 0 ? "Größenwahnsinnigkeiten" : "abcdefghijklmnopqrstuvwxyz1234").slice(
      0,
      1 + (index % 29),
    );
    return index % 97 === 0 ? `"${letters},${index % 5}"` : `${letters}${index % 7}`;
  };
  const rows = Array.from(
    { length: 20_000 },
    (_, index) => `${key(index * 31)},${(index * 7919) % 10 ** (1 + (index % 9))}`,
  );
  const { metrics } = await runBoth({ header: false, partitions: 3 }, utf8(`${rows.join("\n")}\n`));
  expect(metrics).toMatchObject({ tuples: 20_000, skippedRows: 0 });
});

test.for([3, 8, 12, 24, 25])("a key of %i bytes that is not UTF-8 is found among plain rows", async (length) => {
  const file = utf8(Array.from({ length: 3000 }, (_, index) => `${"k".repeat(length)},${index % 10}\n`).join(""));
  file[1000 * (length + 3)] = 0xff;
  const { metrics } = await runBoth({ header: false, onBadRow: "skip" }, file);
  expect(metrics).toMatchObject({ tuples: 2999, skippedRows: 1, keys: 1 });
  expect(await failureOf({ header: false }, file)).toMatch(/^in\.csv: row 1001, column "1": .* is not valid UTF-8/);
});
