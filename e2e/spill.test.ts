import type { Page } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cluster, hashes } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";
import { until } from "./support/until.ts";

/** GiB that the tab's device says it has; half of it is the node's, and a quarter of that holds outputs: 8 MiB. */
const DEVICE_MEMORY = 1 / 16;
/** Its first stage makes some 40 MB. */
const JOB = { tuples: 4_000_000, keyLength: 5, partitions: 12, seed: 5 };
const FOLDER = "kindling-spill";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await Cluster.start();
});
afterEach(() => cluster.close());

/** Sizes of the files in the tab's private folder. */
const spilled = (page: Page): Promise<number[]> =>
  page.evaluate(async (name) => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(name, { create: true });
    const sizes: number[] = [];
    for await (const entry of folder.values()) {
      if (entry.kind === "file") sizes.push((await (entry as FileSystemFileHandle).getFile()).size);
    }
    return sizes;
  }, FOLDER);

/** A file as a tab leaves it that is killed. */
const leaveFile = (page: Page): Promise<void> =>
  page.evaluate(async (name) => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
    const writer = await (await folder.getFileHandle("left", { create: true })).createWritable();
    await writer.write(new Uint8Array(12_345));
    await writer.close();
  }, FOLDER);

test("a tab with little memory writes outputs to its private files, gives the same bytes, and leaves nothing", async () => {
  const options = ["--tuples", "4000000", "--key-length", "5", "--partitions", "12", "--seed", "5"];
  const { stdout } = await kindling(["run", "string-count", ...options, "--json"]);
  const expected = hashes(JSON.parse(stdout) as { artifacts: { name: string; sha256: string }[] });

  const page = await cluster.addTab("small", cluster.joinLink, 1, async (tab) => {
    await tab.addInitScript((memory) => {
      Object.defineProperty(navigator, "deviceMemory", { value: memory });
    }, DEVICE_MEMORY);
    await tab.reload();
    await leaveFile(tab);
    expect(await spilled(tab)).toEqual([12_345]);
  });
  expect(await spilled(page)).toEqual([0]);

  const id = await cluster.submit("string-count", JOB);
  const most = await until("outputs are in the file", async () => {
    const [bytes = 0] = await spilled(page);
    return bytes > 10_000_000 && bytes;
  });
  expect(most).toBeGreaterThan(10_000_000);
  expect(hashes(await cluster.result(id))).toEqual(expected);
  await until("the job's outputs are forgotten", async () => (await spilled(page))[0] === 0);

  await page.getByRole("button", { name: /^stop/i }).click();
  await cluster.gone("small");
  await until("the file is deleted", async () => (await spilled(page)).length === 0);
});
