/** Pages as writers may make them, of random contents: both kernels must agree on every byte. */
import { snappyUncompress } from "hyparquet/src/snappy.js";
import type { ByteReader } from "kindling";
import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import type { Value } from "../../../shared/value.ts";
import { ByteWriter } from "../bytes.ts";
import { kernelOf } from "../kernel.ts";
import { finishReading } from "../reading.ts";
import { contextOf, kernelBytes } from "../testing.ts";
import { countParquetJs } from "./count-js.ts";
import { countParquetWasm } from "./count-wasm.ts";
import type { ParquetPart, ParquetPlan } from "./plan.ts";
import { ThriftStruct } from "./thrift.ts";

type Rng = ReturnType<typeof philoxRng>;

const kernel = kernelOf((await WebAssembly.instantiate(kernelBytes, {})).instance.exports);
const plan: ParquetPlan = {
  valueType: "INT64",
  keyIsOptional: false,
  valueIsOptional: false,
  key: "key",
  value: "value",
  skipBadRows: false,
  isSample: false,
  splitters: [],
};

/** A dictionary's entries in one page, and indices of them in another one. */
interface Column {
  readonly dictionary: Uint8Array;
  readonly entries: number;
  readonly indices: Uint8Array;
}

/** What a kernel makes of row groups that each are a pair of columns: its output as text, and what it reports. */
async function counted(backend: "js" | "wasm", rows: number, groups: readonly (readonly [Column, Column])[]) {
  const file = new ByteWriter();
  let at = 0;
  const append = (bytes: Uint8Array): void => {
    for (const byte of bytes) file.byte(byte);
    at += bytes.length;
  };
  const chunkOf = ({ dictionary, entries, indices }: Column) => {
    const start = at;
    append(pageHeader(2, 7, dictionary.length, entries, 0));
    append(dictionary);
    append(pageHeader(0, 5, indices.length, rows, 8));
    append(indices);
    return { start, end: at, codec: "UNCOMPRESSED" } as const;
  };
  const parts = groups.map(([key, value], index) => ({ index, rows, key: chunkOf(key), value: chunkOf(value) }));
  const part: ParquetPart = { source: 0, groups: parts, range: null, most: Number.MAX_SAFE_INTEGER };
  const reports: Value[] = [];
  const reader = readerOf(file.done());
  const context = { ...contextOf<ParquetPlan, Value>(plan, (summary) => reports.push(summary)), open: () => reader };
  const buckets = await finishReading(
    backend === "js" ? countParquetJs(part, context) : countParquetWasm(kernel, part, context),
  );
  return { buckets: buckets.map((bucket) => bucket.toHex()), reports };
}

const pageHeader = (type: number, field: number, bytes: number, count: number, encoding: number): Uint8Array =>
  new ThriftStruct()
    .int32(1, type)
    .int32(2, bytes)
    .int32(3, bytes)
    .struct(field, new ThriftStruct().int32(1, count).int32(2, encoding))
    .done();

const readerOf = (bytes: Uint8Array): ByteReader => ({
  name: "in.parquet",
  size: bytes.length,
  readInto(target, start) {
    const part = bytes.subarray(start, start + target.length);
    target.set(part);
    return part.length;
  },
});

/** Indices below `limit` in runs of one value and runs that are packed, of `width` bits each; the last run goes on behind the last row. */
function hybrid(rng: Rng, width: number, rows: number, limit: number): Uint8Array {
  const out = new ByteWriter();
  out.byte(width);
  for (let done = 0; done < rows; ) {
    const groups = 1 + rng.below(rng.below(8) === 0 ? 150 : 40);
    if (rng.below(3) === 0) {
      const count = 1 + rng.below(40);
      varint(out, count << 1);
      packed(out, (width + 7) & ~7, [rng.below(limit)]);
      done += count;
    } else {
      varint(out, (groups << 1) | 1);
      packed(
        out,
        width,
        Array.from({ length: 8 * groups }, () => rng.below(limit)),
      );
      done += 8 * groups;
    }
  }
  return out.done();
}

function varint(out: ByteWriter, value: number): void {
  let rest = value;
  for (; rest >= 128; rest >>>= 7) out.byte((rest & 127) | 128);
  out.byte(rest);
}

function packed(out: ByteWriter, width: number, numbers: readonly number[]): void {
  let held = 0n;
  let bits = 0n;
  for (const number of numbers) {
    held |= BigInt(number) << bits;
    for (bits += BigInt(width); bits >= 8n; bits -= 8n) {
      out.byte(Number(held & 255n));
      held >>= 8n;
    }
  }
}

const letters = (index: number): string =>
  String.fromCharCode(...[0, 1, 2].map((place) => 65 + (Math.floor(index / 26 ** place) % 26)));

function keyDictionary(keys: readonly string[]): Uint8Array {
  const out = new ByteWriter();
  for (const key of keys) {
    const bytes = new TextEncoder().encode(key);
    for (const byte of [bytes.length, 0, 0, 0, ...bytes]) out.byte(byte);
  }
  return out.done();
}

const valueDictionary = (values: readonly bigint[]): Uint8Array =>
  new Uint8Array(BigInt64Array.from(values).buffer.slice(0));

/** Bits of an index: the reference reads no more. */
const WIDEST = 24;

/** What keys and values may be: the kernel has ways of its own for some of them. */
const KINDS: readonly (readonly [string, (index: number) => string, (rng: Rng) => bigint])[] = [
  ["keys alike, small values", letters, (rng) => BigInt(1 + rng.below(10))],
  ["keys alike, values that may cancel out", letters, (rng) => BigInt(rng.below(3) - 1)],
  ["keys of several lengths", (index) => `k${index}`, (rng) => BigInt(rng.below(1000))],
  ["long keys", (index) => `a key of many bytes ${index}`, (rng) => BigInt(rng.below(1000))],
  ["large values", letters, (rng) => (BigInt(rng.below(2 ** 31)) << 20n) * (rng.below(2) === 0 ? 1n : -1n)],
  ["sums that overflow on the way", letters, (rng) => 2n ** 62n * (rng.below(2) === 0 ? 1n : -1n)],
];

test.each(KINDS)("%s, in indices of any width", async (_name, keyOf, valueOf) => {
  for (let width = 1; width <= WIDEST; width++) {
    const rng = philoxRng(width, 0);
    const rows = 3000 + rng.below(64);
    const groups = Array.from({ length: 2 }, (): readonly [Column, Column] => {
      const entries = Math.min(2 ** width, 700);
      const valueWidth = 1 + rng.below(WIDEST);
      const values = Math.min(2 ** valueWidth, 9);
      const keys = Array.from({ length: entries }, (_, index) => keyOf(index));
      const numbers = Array.from({ length: values }, () => valueOf(rng));
      return [
        { dictionary: keyDictionary(keys), entries, indices: hybrid(rng, width, rows, entries) },
        {
          dictionary: valueDictionary(numbers),
          entries: values,
          indices: hybrid(rng, valueWidth, rows, values),
        },
      ];
    });
    expect(await counted("wasm", rows, groups), `width ${width}`).toEqual(await counted("js", rows, groups));
  }
});

test("an index behind the dictionary's end is a damaged page, in either column", async () => {
  const rng = philoxRng(1, 0);
  const keys = { dictionary: keyDictionary(["AAA", "BBB", "CCC"]), entries: 3 };
  const values = { dictionary: valueDictionary([1n, 2n, 3n]), entries: 3 };
  const good = () => hybrid(rng, 2, 500, 3);
  const bad = () => hybrid(rng, 2, 500, 4);
  for (const backend of ["js", "wasm"] as const) {
    const run = (key: Uint8Array, value: Uint8Array) =>
      counted(backend, 500, [
        [
          { ...keys, indices: key },
          { ...values, indices: value },
        ],
      ]);
    await expect(run(bad(), good())).rejects.toThrow('column "key": a page is damaged');
    await expect(run(good(), bad())).rejects.toThrow('column "value": a page is damaged');
    await expect(run(good(), good())).resolves.toBeDefined();
  }
});

/** A Snappy stream of all kinds of elements, which copy from near and far. */
function snappyStream(rng: Rng, elements: number): { readonly stream: Uint8Array; readonly size: number } {
  const out = new ByteWriter();
  let size = 0;
  for (let element = 0; element < elements; element++) {
    const kind = size === 0 ? 0 : rng.below(4);
    const near = 1 + rng.below(Math.min(size, rng.below(2) === 0 ? 20 : 60_000) || 1);
    const long = 1 + rng.below(64);
    if (kind === 0) {
      const length = 1 + rng.below(rng.below(8) === 0 ? 400 : 20);
      if (length <= 60) out.byte((length - 1) << 2);
      else for (const byte of [61 << 2, (length - 1) & 255, (length - 1) >> 8]) out.byte(byte);
      for (let index = 0; index < length; index++) out.byte(rng.below(256));
      size += length;
    } else if (kind === 1) {
      const length = 4 + rng.below(8);
      const offset = Math.min(near, 2047);
      for (const byte of [1 | ((length - 4) << 2) | ((offset >> 8) << 5), offset & 255]) out.byte(byte);
      size += length;
    } else {
      out.byte(kind | ((long - 1) << 2));
      for (let index = 0; index < 2 * (kind - 1); index++) out.byte((near >> (8 * index)) & 255);
      size += long;
    }
  }
  const body = out.done();
  const whole = new ByteWriter();
  varint(whole, size);
  for (const byte of body) whole.byte(byte);
  return { stream: whole.done(), size };
}

test("Snappy's elements of all kinds; streams that are cut short are refused", () => {
  const { calls, bytes } = kernel;
  const { unsnappy } = calls as typeof calls & {
    unsnappy(from: number, length: number, to: number, size: number): number;
  };
  calls.begin();
  const from = calls.take(2 ** 20);
  const to = calls.take(2 ** 20);
  for (let seed = 0; seed < 50; seed++) {
    const rng = philoxRng(seed, 1);
    const { stream, size } = snappyStream(rng, 1 + rng.below(2000));
    const expected = new Uint8Array(size);
    snappyUncompress(stream, expected);
    bytes(from, stream.length).set(stream);
    expect(unsnappy(from, stream.length, to, size)).toBe(1);
    expect(bytes(to, size).toHex()).toBe(expected.toHex());
    for (let cut = 0; cut < 20; cut++) expect(unsnappy(from, rng.below(stream.length), to, size)).toBe(0);
    expect(unsnappy(from, stream.length, to, size + 1)).toBe(0);
  }
});
