import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { runDirect } from "../../shared/testing/direct-job.ts";
import { utf8 } from "./testing.ts";
import stringCount from "./workload.ts";

const { instantiate } = WebAssembly;
afterEach(() => vi.restoreAllMocks());

/** From now on tasks find the kernel's memory taken up to `bytes`. What is taken is never touched, and costs nothing. */
function fillMemory(bytes: number): void {
  vi.spyOn(WebAssembly, "instantiate").mockImplementation((async (module: BufferSource) => {
    const { exports } = (await instantiate(module, {})).instance;
    const { begin, take } = exports as { begin(): void; take(bytes: number): number };
    return { instance: { exports: { ...exports, begin: () => [begin(), take(bytes)] } } };
  }) as never);
}

const files = {
  "short.csv": utf8(`key,value\n${Array.from({ length: 60_000 }, (_, i) => `${i % 977},${i}\n`).join("")}`),
  "wide.csv": utf8(`key,value\n${Array.from({ length: 9000 }, (_, i) => `"a wide, key ${i % 99}",${i}\n`).join("")}`),
  "long.csv": utf8(`key,value\n${`${"k".repeat(99)},3\n`.repeat(99)}`),
  "bad.csv": utf8("key,value\na,one\n"),
  "in.parquet": new Uint8Array(readFileSync(join(import.meta.dirname, "golden/parquet/nulls-plain-pages-2.parquet"))),
  "bad.parquet": new Uint8Array(readFileSync(join(import.meta.dirname, "golden/parquet-refused/key-not-utf8.parquet"))),
};

test.each(
  [2 ** 31 - 2 ** 18, 2 ** 31, 3 * 2 ** 30].flatMap((taken) => Object.keys(files).map((input) => ({ taken, input }))),
)("memory from byte $taken on serves as well: $input", async ({ taken, input }) => {
  const count = (backend: "js" | "wasm") =>
    runDirect(
      stringCount,
      { input, partitions: 3, onBadRow: input.startsWith("bad") ? "fail" : "skip" },
      { backend, files },
    ).catch((error: unknown) => error);
  const expected = await count("js");
  fillMemory(taken);
  expect(await count("wasm")).toEqual(expected);
});
