import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { philoxRng } from "../shared/rng.ts";
import type { PageRun } from "./support/gpu-page.ts";
import { KernelPage } from "./support/tab-kernels.ts";

/** The WebGPU kernels of string-count in a real browser: every stage must give the bytes of the reference. */

let page: KernelPage;
beforeAll(async () => {
  page = await KernelPage.open();
});
afterAll(() => page.close());

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const csv = (rows: readonly (readonly [string, bigint | number])[], lineEnd = "\n"): Uint8Array => {
  const field = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return utf8(`key,value${lineEnd}${rows.map(([key, value]) => `${field(key)},${value}${lineEnd}`).join("")}`);
};

test("a device that is lost fails the task, which says so; the next task gets a new one", async () => {
  const job = { workload: "string-count", params: { tuples: 1000 }, backend: "webgpu" } as const;
  expect((await page.run({ ...job, losesDevice: true })).error).toMatch(
    /^GpuFailed: The WebGPU device was lost \(destroyed\)/,
  );
  expect((await page.run(job)).error).toBe("");
});

async function expectSame(params: object, input?: Uint8Array, table?: object, name = "in.csv"): Promise<PageRun> {
  const job = {
    workload: "string-count",
    params: input === undefined ? params : { input: name, ...params },
    ...(input && { files: { [name]: input } }),
  };
  const js = await page.run({ ...job, backend: "js" });
  const gpu = await page.run({ ...job, backend: "webgpu", ...(table && { table }) });
  expect(gpu).toEqual(js);
  return gpu;
}

async function expectCounted(params: object, input?: Uint8Array, table?: object): Promise<void> {
  expect((await expectSame(params, input, table)).error).toBe("");
}

const rng = philoxRng(11, 0);
const pick = (letters: string, length: number): string => {
  const all = [...letters];
  return Array.from({ length }, () => all[rng.below(all.length)]).join("");
};
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

test.each([
  ["three letters", { tuples: 50_000, partitions: 2 }],
  ["words past 32 bits", { tuples: 3000, keyLength: 1000, alphabet: "a-z0-9", maxValue: 4294967295, seed: 4294967295 }],
  ["one letter, many partitions", { tuples: 10_001, keyLength: 1, alphabet: "xy", partitions: 7 }],
  ["nine letters of 95", { tuples: 20_000, keyLength: 9, alphabet: " -~", seed: 3 }],
])("generated tuples: %s", async (_, params) => {
  await expectCounted(params);
});

test("generated tuples far into the sequence, where words are numbered beyond 32 bits", async () => {
  for (const [start, keyLength] of [
    [2 ** 31 - 500, 3],
    [6e9 + 1, 7],
    [9.99e12, 12],
  ] as const) {
    const job = { workload: "tuples-from", params: { start, keyLength, tuples: 1000, seed: 5 } };
    const gpu = await page.run({ ...job, backend: "webgpu" });
    expect(gpu).toEqual(await page.run({ ...job, backend: "js" }));
    expect(gpu.error).toBe("");
  }
});

test.each<[string, Uint8Array]>([
  ["plain", csv(many(20_000, () => [pick("abcde", 1 + rng.below(4)), rng.below(100)]))],
  ["Unicode", csv(many(5000, () => [pick("aäжЖ中😀é", rng.below(6)), rng.below(1000) - 500]))],
  [
    "quotes and line breaks",
    csv(
      many(3000, () => [pick('a",\n\r', rng.below(5)), rng.below(9)]),
      "\r\n",
    ),
  ],
  ["CRLF and blank lines", utf8(`key,value\r\n${"a,1\r\n\r\n\nb,+2\n".repeat(500)}c,-003`)],
  ["an empty key", csv(many(300, (at) => [at % 3 === 0 ? "" : "a", at]))],
  ["keys of 10 kB", csv(many(60, (at) => [`${"k".repeat(10_000)}${at % 7}`, at]))],
  ["one single key", csv(many(30_000, (at) => ["key", at - 7]))],
  ["all keys distinct", csv(many(30_000, (at) => [`${(at * 7919) % 30_011}`, at]))],
  ["all keys distinct and long", csv(many(4000, (at) => [`the same beginning of twenty and more ${at}`, 1]))],
  ["negative values", csv(many(5000, () => [pick("ab", 2), -rng.below(1_000_000)]))],
  ["sums beyond 2³²", csv(many(4000, (at) => [pick("ab", 1), BigInt(rng.uint32()) * (at % 3 === 0 ? -977n : 1009n)]))],
  [
    "the smallest and largest values",
    csv([
      ["a", -(2n ** 63n)],
      ["b", 2n ** 63n - 1n],
      ["c", -1n],
      ["c", 2n ** 62n],
      ["c", 2n ** 62n],
    ]),
  ],
  ["no rows", utf8("key,value\n")],
])("a file: %s", async (_, input) => {
  for (const partitions of [1, 3]) await expectCounted({ partitions }, input);
});

test("sums that leave 64 bits on the way, set aside as the reference does", async () => {
  const most = 2n ** 63n - 1n;
  const rows = [most, most, -most, 5n, most, -most, -most, -7n, most, -most].flatMap((value) => [
    ["k", value] as const,
    ["other", 1n] as const,
    ["near", value / 4n] as const,
  ]);
  for (const partitions of [1, 2, 5]) await expectCounted({ partitions }, csv(rows));
});

test("a total that does not fit is the reference's error, and so are bad rows", async () => {
  const overflow = await expectSame(
    {},
    csv([
      ["big", 2n ** 63n - 1n],
      ["big", 1n],
    ]),
  );
  expect(overflow.error).toContain('the sum of key "big" does not fit');
  for (const bad of ["x", "1,2", "9223372036854775808", "", "1\0", '"1"2', "--1", "99999999999999999999999999"]) {
    const file = utf8(`key,value\na,1\nb,${bad}\nc,2\n`);
    expect((await expectSame({}, file)).error).toContain("BadInput");
    await expectCounted({ onBadRow: "skip" }, file);
  }
  const latin = Uint8Array.of(...utf8("key,value\na,1\n"), 0xe4, ...utf8(",1\n"));
  expect((await expectSame({}, latin)).error).toContain("UTF-8");
});

test("Parquet files of every kind, good and bad", async () => {
  const golden = join(import.meta.dirname, "../workloads/string-count/golden");
  const run = (folder: string, name: string, params: object) =>
    expectSame(params, new Uint8Array(readFileSync(join(golden, folder, name))), {}, "in.parquet");
  for (const name of readdirSync(join(golden, "parquet")).filter((each) => each.endsWith(".parquet"))) {
    for (const partitions of [1, 4]) {
      expect((await run("parquet", name, { onBadRow: "skip", partitions })).error, name).toBe("");
    }
  }
  for (const name of readdirSync(join(golden, "parquet-refused"))) {
    expect((await run("parquet-refused", name, {})).error, name).toContain("BadInput");
  }
});

test("any columns, delimiter and order; no header", async () => {
  await expectCounted(
    { key: "who", value: "n", delimiter: ";" },
    utf8("x;when;n;who\n1;a;-5;Ann\n2;b;7;Bob\n3;c;+1;Ann\n"),
  );
  await expectCounted({ header: false, key: "2", value: "1", delimiter: "\\t" }, utf8("1\tb\n2\ta\n3\tb"));
  await expectCounted({ key: "n", value: "n" }, utf8("n\n7\n\n7\r\n-1\n"));
});

test("keys with one hash are told apart by their bytes; records without a slot are added here", async () => {
  const input = csv(many(3000, (at) => [`${at % 200} ${"é".repeat(at % 3)}`, at * 3_000_000_000]));
  await expectCounted({ partitions: 2 }, input, { hash_mask: 0 });
  await expectCounted({ partitions: 2 }, input, { hash_mask: 0, reach: 100 });
});

test("where the table is of no use the kernel hands its part back", async () => {
  const input = csv(many(9000, (at) => [`${at}`, 1]));
  const job = { workload: "string-count", params: { input: "in.csv" }, files: { "in.csv": input } };
  const run = await page.run({ ...job, backend: "webgpu", table: { hash_mask: 0, reach: 2 } });
  expect(run.error).toMatch(/^GpuUnsuited: \d+ records found no place in the table$/);
});
