import { expect, test } from "vitest";
import { runDirect } from "../../shared/testing/direct-job.ts";
import stringCount from "./workload.ts";

test("js and wasm agree on generated tuples", async () => {
  const params = { tuples: 20_000, partitions: 3, keyLength: 3, seed: 5 };
  const js = await runDirect(stringCount, params, { backend: "js" });
  const wasm = await runDirect(stringCount, params, { backend: "wasm" });
  expect(wasm.stages).toEqual(js.stages);
  expect(wasm.metrics).toEqual(js.metrics);
  expect(wasm.artifacts).toEqual(js.artifacts);
  console.log(js.metrics, new TextDecoder().decode(js.artifacts.get("counts.csv")).slice(0, 100));
});
test("csv", async () => {
  const file = new TextEncoder().encode(
    'key,value\nab,5\n"x""y",-7\r\n\n"q\nz",+12\nzebra zebra zebra zebra zebra,1\nab,3',
  );
  const params = { input: "f", partitions: 7 };
  const js = await runDirect(stringCount, params, { backend: "js", files: { f: file } });
  console.log(js.metrics, new TextDecoder().decode(js.artifacts.get("counts.csv")).slice(0, 100));
  const wasm = await runDirect(stringCount, params, { backend: "wasm", files: { f: file } });
  expect(wasm.stages).toEqual(js.stages);
  expect(wasm.metrics).toEqual(js.metrics);
  expect(wasm.artifacts).toEqual(js.artifacts);
});
