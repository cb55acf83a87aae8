import { afterAll, beforeAll, expect, test } from "vitest";
import { KernelPage } from "./support/tab-kernels.ts";

/** The WebGL2 kernel of pi in a real browser: it must count the same points as the reference. */

let page: KernelPage;
beforeAll(async () => {
  page = await KernelPage.open();
});
afterAll(() => page.close());

test("a million points in one or many partitions, with ragged ends", async () => {
  for (const [samples, partitions] of [
    [1_000_000, 1],
    [300_007, 7],
    [1, 1],
    [511, 2],
  ] as const) {
    const job = { workload: "pi", params: { samples, partitions, seed: 7 } };
    const webgl = await page.run({ ...job, backend: "webgl" });
    expect(webgl.error).toBe("");
    expect(webgl).toEqual(await page.run({ ...job, backend: "js" }));
  }
});

test("points far into the sequence, at odd places, of the largest seed", async () => {
  for (const start of [1, 2 ** 33 - 1001, 2 ** 33 - 1000, 9_999_999_990_001]) {
    const job = { workload: "pi-from", params: { seed: 0xffffffff, start, count: 20_001 } };
    const webgl = await page.run({ ...job, backend: "webgl" });
    expect(webgl.error).toBe("");
    expect(webgl).toEqual(await page.run({ ...job, backend: "js" }));
  }
});
