import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { runDirect } from "../../shared/testing/direct-job.ts";
import { countInside } from "./inside.ts";
import pi from "./workload.ts";

/** The result file of seed 1 and a million samples. */
const golden = readFileSync(join(import.meta.dirname, "golden/pi.json"), "utf8");

test.each(["js", "wasm"] as const)("%s gives the golden count in one or many partitions", async (backend) => {
  for (const partitions of [1, 7]) {
    const result = await runDirect(pi, { samples: 1_000_000, partitions }, { backend });
    expect(result.metrics).toEqual(JSON.parse(golden));
    expect(new TextDecoder().decode(result.artifacts.get("pi.json"))).toBe(golden);
    expect(result.progress).toBe(1_000_000);
  }
});

test("a sample takes its two words from the sequence of the seed", () => {
  const rng = philoxRng(9, 0);
  const inside = Array.from({ length: 100 }, () => {
    const x = BigInt(rng.uint32() >>> 6);
    const y = BigInt(rng.uint32() >>> 6);
    return x * x + y * y < 2n ** 52n;
  });
  for (const [start, count] of [
    [0, 100],
    [1, 50],
    [31, 3],
  ] as const) {
    const expected = inside.slice(start, start + count).filter(Boolean).length;
    expect(countInside({ seed: 9, start, count })).toBe(expected);
  }
});

test("wasm agrees with js where the block number passes 32 bits, and on a ragged end", async () => {
  const start = 2 ** 33 - 8;
  const range = { seed: 0xffffffff, start, count: 37 };
  const context = { report() {}, progress() {} };
  const { instance } = await WebAssembly.instantiate(pi.tasks["count"]?.wasm?.module as Uint8Array<ArrayBuffer>, {});
  const run = pi.tasks["count"]?.wasm?.run;
  expect(run?.(instance.exports, range, context as never)).toEqual([countInside(range)]);
});

test("refuses what is no number of samples", () => {
  expect(pi.params.safeParse({ samples: 0 }).success).toBe(false);
  expect(pi.params.safeParse({ samples: 1.5 }).success).toBe(false);
});
