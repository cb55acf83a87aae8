import { parquetReadObjects } from "hyparquet";
import { expect, test } from "vitest";
import { runDirect } from "../../../shared/testing/direct-job.ts";
import { resultText, utf8 } from "../testing.ts";
import stringCount from "../workload.ts";

/** The result as Parquet: its bytes. */
async function parquetOf(params: object, files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const { artifacts } = await runDirect(stringCount, { output: "parquet", ...params }, { backend: "wasm", files });
  return artifacts.get("counts.parquet") ?? new Uint8Array();
}

const ODD = 'key,value\na,1\n"say ""hi""",-7\n"two\nlines",9223372036854775807\n,0\nZürich,-9223372036854775808\n';

test("hyparquet reads what is written", async () => {
  const file = await parquetOf({ input: "in.csv" }, { "in.csv": utf8(ODD) });
  expect(await parquetReadObjects({ file: file.buffer as ArrayBuffer })).toEqual([
    { key: "", value: 0n },
    { key: "Zürich", value: -9223372036854775808n },
    { key: "a", value: 1n },
    { key: 'say "hi"', value: -7n },
    { key: "two\nlines", value: 9223372036854775807n },
  ]);
});

test("a result without rows is a file without row groups", async () => {
  const file = await parquetOf({ input: "in.csv", key: "k", value: "n" }, { "in.csv": utf8("n,k\n") });
  expect(await parquetReadObjects({ file: file.buffer as ArrayBuffer })).toEqual([]);
});

test("counting a written result gives it again, whatever its pages and row groups", async () => {
  const generated = { tuples: 1_000_000, keyLength: 4, maxValue: 1000 };
  const csv = resultText(await runDirect(stringCount, generated, { backend: "wasm" }));
  const parquet = await parquetOf(generated, {});
  const params = { input: "in.parquet", value: "count" };
  const again = await runDirect(stringCount, params, { backend: "wasm", files: { "in.parquet": parquet } });
  expect(resultText(again)).toBe(csv);
});
