import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, hashes } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";

/** On plain http from another device a page is no secure context: no crypto.subtle, no OPFS, no WebGPU, no wake lock. */
const address =
  process.env["KINDLING_TEST_ADDRESS"] ??
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

let cluster: Cluster;
beforeAll(async () => {
  if (address !== undefined) cluster = await Cluster.start({ host: address });
});
afterAll(() => cluster?.close());

test.skipIf(address === undefined)("a tab joins over an address that is not loopback (needs one)", async () => {
  const page = await cluster.addTab("phone");
  expect(new URL(page.url()).hostname).toBe(address);
  expect(await page.evaluate(() => [isSecureContext, crypto.subtle === undefined])).toEqual([false, true]);

  const job = await cluster.run("string-count", { tuples: 2_000_000, keyLength: 4, seed: 2 });
  const { stdout } = await kindling([
    "run",
    "string-count",
    "--tuples",
    "2000000",
    "--key-length",
    "4",
    "--seed",
    "2",
    "--json",
  ]);
  expect(hashes(job)).toEqual(hashes(JSON.parse(stdout) as { artifacts: { name: string; sha256: string }[] }));
  expect(job.shares.map(({ name }) => name)).toEqual(["phone"]);
  const [node] = (await cluster.client.overview()).nodes;
  expect(node?.lacks.join(" ")).toMatch(/secure/);
});
