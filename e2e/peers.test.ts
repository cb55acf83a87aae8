import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { JobView } from "../shared/protocol/api.ts";
import type { ShuffleMode } from "../shared/protocol/shuffle.ts";
import type { Value } from "../shared/value.ts";
import { Cluster, hashes } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";

/** Several buckets of some hundred kilobytes from each part. */
const JOB: Record<string, Value> = { tuples: 4_000_000, keyLength: 5, partitions: 12, seed: 5 };

let expected: Record<string, string>;
let cluster: Cluster;

beforeAll(async () => {
  const options = ["--tuples", "4000000", "--key-length", "5", "--partitions", "12", "--seed", "5"];
  const { stdout } = await kindling(["run", "string-count", ...options, "--json"]);
  expected = hashes(JSON.parse(stdout) as { artifacts: { name: string; sha256: string }[] });
});
beforeEach(async () => {
  cluster = await Cluster.start({ host: "0.0.0.0" });
});
afterEach(() => cluster.close());

async function run(shuffle: ShuffleMode): Promise<JobView> {
  return cluster.result(await cluster.client.submit({ workload: "string-count", params: JOB, shuffle }));
}

function bytesOf({ shuffle }: JobView): { peer: number; relay: number; local: number; total: number } {
  if (shuffle === undefined) throw new Error("the job does not tell how its chunks came");
  return { ...shuffle, total: shuffle.peer + shuffle.relay + shuffle.local };
}

test("two tabs and a headless node shuffle from peer to peer, past the coordinator", async () => {
  await cluster.addNode("headless");
  await cluster.addTab("tab-1");
  await cluster.addTab("tab-2");
  const job = await run("peer");
  const { peer, relay, total } = bytesOf(job);
  expect(hashes(job)).toEqual(expected);
  expect(peer).toBeGreaterThan(0.3 * total);
  expect(relay).toBeLessThan(0.05 * total);
});
