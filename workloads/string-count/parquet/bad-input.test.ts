import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { philox4x32 } from "../../../shared/math/philox.ts";
import { toWireError } from "../../../shared/errors.ts";
import { runDirect } from "../../../shared/testing/direct-job.ts";
import { resultText, utf8 } from "../testing.ts";
import stringCount from "../workload.ts";
import { ThriftStruct } from "./thrift.ts";
import { writeFooter } from "./write.ts";

const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(import.meta.dirname, `../golden/${name}.parquet`)));
const refused = (name: string): Uint8Array => golden(`parquet-refused/${name}`);

/** The code and message with which a backend's job fails, or its result. */
async function outcome(backend: "js" | "wasm", file: Uint8Array, params: object = {}): Promise<string> {
  const all = { input: "in.parquet", ...params };
  return runDirect(stringCount, all, { backend, files: { "in.parquet": file } }).then(resultText, (error: unknown) => {
    const { code, message } = toWireError(error);
    return `${code} ${message}`;
  });
}

const good = golden("parquet/dictionary-snappy");

test.each<[string, Uint8Array, object, string]>([
  ["too short", utf8("PAR1"), {}, "it is too short for a Parquet file"],
  ["text", utf8("key,value\na,1\nb,2\n"), {}, "it does not end as a Parquet file does"],
  ["an encrypted footer", utf8("PARE--------PARE"), {}, "its footer is encrypted"],
  ["a file cut short", good.slice(0, -20), {}, "it does not end as a Parquet file does"],
  [
    "a footer longer than the file",
    Uint8Array.of(...utf8("PAR1"), 255, 255, 0, 0, ...utf8("PAR1")),
    {},
    "its footer is damaged",
  ],
  [
    "a footer of zeros",
    Uint8Array.of(...utf8("PAR1"), 0, 0, 0, 0, 4, 0, 0, 0, ...utf8("PAR1")),
    {},
    "its footer is damaged",
  ],
  ["no such column", good, { key: "word" }, 'there is no column "word" (--key); the columns are "key", "value"'],
  ["another codec", refused("brotli"), {}, 'row group 1, column "key": it is compressed with BROTLI'],
  ["another encoding", refused("delta-encoding"), {}, "its pages have the encoding DELTA_BYTE_ARRAY"],
  ["doubles", refused("values-are-doubles"), {}, 'column "value" (--value) has type DOUBLE; values must be integers'],
  ["days", refused("values-are-days"), {}, 'column "value" (--value) has type INT32 (DATE)'],
  ["decimals", refused("values-are-decimals"), {}, 'column "value" (--value) has type'],
  ["unsigned 64-bit values", refused("values-are-unsigned-64"), {}, "has type INT64 (INTEGER)"],
  ["integer keys", refused("keys-are-integers"), {}, 'column "key" (--key) has type INT64; keys must be text'],
  ["lists as keys", refused("keys-are-lists"), {}, 'column "key" (--key) is nested'],
  ["a null key", refused("null-key"), {}, 'row 2, column "key": it is null; --on-bad-row skip'],
  ["a null value in the second row group", refused("null-value"), {}, 'row 3, column "value": it is null'],
  ["a NUL", refused("key-with-nul"), {}, 'row 2, column "key": "b\\u0000c" has a NUL byte'],
  ["Latin-1", refused("key-not-utf8"), {}, 'row 2, column "key": "f\ufffdr" is not valid UTF-8'],
  ["a sum that does not fit", refused("sum-overflows"), {}, 'column "value": the sum of key "k" does not fit'],
])("%s", async (_name, file, params, message) => {
  const js = await outcome("js", file, params);
  expect(js).toMatch(/^BadInput in\.parquet[:,] /);
  expect(js).toContain(message);
  expect(await outcome("wasm", file, params)).toBe(js);
});

test("a column chunk with two dictionaries", async () => {
  const page = (type: number, bytes: Uint8Array, header: (page: ThriftStruct) => ThriftStruct) =>
    [header(new ThriftStruct().int32(1, type).int32(2, bytes.length).int32(3, bytes.length)).done(), bytes].flatMap(
      (part) => [...part],
    );
  const dictionary = (key: string) =>
    page(2, Uint8Array.of(key.length, 0, 0, 0, ...utf8(key)), (header) =>
      header.struct(7, new ThriftStruct().int32(1, 1).int32(2, 0)),
    );
  const rows = (bytes: Uint8Array, encoding: number) =>
    page(0, bytes, (header) =>
      header.struct(5, new ThriftStruct().int32(1, 1).int32(2, encoding).int32(3, 3).int32(4, 3)),
    );
  // One row by the dictionary: no bits, a run of one.
  const indexed = rows(Uint8Array.of(0, 2), 8);
  const keys = [...dictionary("a"), ...indexed, ...dictionary("b"), ...indexed];
  const one = rows(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 0);
  const values = [...one, ...one];
  const footer = writeFooter({
    columns: ["key", "value"],
    groups: [{ rows: 2, keyBytes: keys.length, valueBytes: values.length }],
  });
  const file = Uint8Array.of(...utf8("PAR1"), ...keys, ...values, ...footer);
  for (const backend of ["js", "wasm"] as const) {
    expect(await outcome(backend, file)).toContain('row group 1, column "key": it has a second dictionary');
  }
});

test("bad rows can be passed over", async () => {
  for (const [name, text] of [
    ["null-key", "a,1\nb,3\n"],
    ["null-value", "a,1\nb,2\nd,4\n"],
    ["key-with-nul", "a,1\n"],
    ["key-not-utf8", "a,1\n"],
  ] as const) {
    for (const backend of ["js", "wasm"] as const) {
      expect(await outcome(backend, refused(name), { onBadRow: "skip" })).toBe(`key,value\n${text}`);
    }
  }
});

test("a damaged file gives an error or a result, and never brings a kernel down", { timeout: 60_000 }, async () => {
  const words = new Uint32Array(4);
  for (const name of ["dictionary-snappy", "nulls-plain-pages-2", "row-groups-of-33", "plain-uncompressed"]) {
    const whole = golden(`parquet/${name}`);
    for (let round = 0; round < 200; round++) {
      philox4x32(words, 0, [round, 0, 0, 0], [1, 0]);
      const damaged = whole.slice();
      damaged[(words[0] as number) % whole.length] = (words[1] as number) & 255;
      if (round % 4 === 0) damaged[(words[2] as number) % whole.length] = (words[3] as number) & 255;
      for (const backend of ["js", "wasm"] as const) {
        expect(await outcome(backend, damaged, { onBadRow: "skip" }), `${name}, round ${round}, ${backend}`).toMatch(
          /^(BadInput in\.parquet|key,value\n)/,
        );
      }
    }
  }
});
