import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Value } from "../shared/value.ts";
import { Cluster, hashes, madeAgain, nodesByTask } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";
import { until } from "./support/until.ts";

/** The kind of records that are outputs in the journal's table. */
const OUTPUT = 2;
/** Long enough to be disturbed in the middle, on two slow slots. */
const JOB: Record<string, Value> = { tuples: 200_000_000, partitions: 240, seed: 11 };

/** What the journal of a dead coordinator holds, read from its file. */
function durableTasks(dataDir: string, job: string): Set<string> {
  const journal = new DatabaseSync(join(dataDir, "journal.sqlite"));
  const rows = journal.prepare("SELECT ordinal, partition FROM records WHERE kind = ? AND job = ?").all(OUTPUT, job);
  journal.close();
  return new Set(rows.map(({ ordinal, partition }) => `${job}/${String(ordinal)}/${String(partition)}`));
}

let expected: Record<string, string>;
let cluster: Cluster;

beforeAll(async () => {
  const { stdout } = await kindling([
    ...["run", "string-count", "--tuples", "200000000", "--partitions", "240", "--seed", "11", "--json"],
  ]);
  expected = hashes(JSON.parse(stdout) as { artifacts: { name: string; sha256: string }[] });
});
beforeEach(async () => {
  cluster = await Cluster.start();
});
afterEach(() => cluster.close());

test("a tab is closed in the middle", async () => {
  await cluster.addNode("stays");
  const tab = await cluster.addTab("leaves");
  const job = await cluster.submit("string-count", JOB);
  await cluster.progressed(job, 0.2);
  await tab.close();
  const result = await cluster.result(job);
  expect(hashes(result)).toEqual(expected);
  expect(result.shares.map(({ name }) => name).sort()).toEqual(["leaves", "stays"]);
});

test("a headless node is killed with -9 in the middle", async () => {
  const victim = await cluster.addNode("victim");
  await cluster.addNode("stays");
  const job = await cluster.submit("string-count", JOB);
  await cluster.progressed(job, 0.3);
  await victim.end("SIGKILL");
  const result = await cluster.result(job);
  expect(hashes(result)).toEqual(expected);
  expect(result.shares.map(({ name }) => name).sort()).toEqual(["stays", "victim"]);
  // Of what was finished only the victim's is made again: outputs of more than 64 KiB lay on it alone.
  const runs = nodesByTask(cluster.executions());
  const again = madeAgain(cluster.executions()).map(({ attempt }) => attempt.split("#")[0] ?? "");
  expect(again.filter((task) => !runs.get(task)?.includes("victim"))).toEqual([]);
  expect(again).toEqual([...new Set(again)]);
  expect(runs.size).toBeGreaterThanOrEqual(240);
});

test("a headless node leaves in the middle and gives away first what only it holds: nothing is made again", async () => {
  const leaver = await cluster.addNode("leaves");
  await cluster.addNode("stays");
  const job = await cluster.submit("string-count", JOB);
  await cluster.progressed(job, 0.3);
  await leaver.end("SIGTERM");
  const result = await cluster.result(job);
  expect(hashes(result)).toEqual(expected);
  expect(result.shares.map(({ name }) => name).sort()).toEqual(["leaves", "stays"]);
  expect(madeAgain(cluster.executions())).toEqual([]);
});

test.each([0.1, 0.5, 0.9])(
  "the coordinator is killed with -9 at %f and started again: nothing durable runs twice",
  async (share) => {
    await cluster.addNode("one");
    await cluster.addNode("two");
    const job = await cluster.submit("string-count", JOB);
    await cluster.progressed(job, share);
    await cluster.coordinator.end("SIGKILL");
    const durable = durableTasks(cluster.dataDir, job);
    await cluster.startCoordinator();
    const restarted = performance.now();
    const before = cluster.executions().length;
    await until("work goes on", () => cluster.executions().length > before);
    const resumedAfter = performance.now() - restarted;
    const result = await cluster.result(job);

    expect(hashes(result)).toEqual(expected);
    expect(resumedAfter).toBeLessThan(5_000);
    const runs = nodesByTask(cluster.executions());
    // What was under way on a node that is slower to come back may be given to another; what was durable may not.
    const again = [...durable].filter((task) => runs.get(task)?.length !== 1);
    expect(again).toEqual([]);
    expect(durable.size).toBeGreaterThanOrEqual(Math.floor(share * 240));
    expect(runs.size).toBeGreaterThanOrEqual(240);
  },
);

test("a tab comes back to a coordinator that was killed and started again, and finishes its job", async () => {
  await cluster.addTab("tab");
  const job = await cluster.submit("string-count", JOB);
  await cluster.progressed(job, 0.3);
  await cluster.coordinator.end("SIGKILL");
  const durable = durableTasks(cluster.dataDir, job);
  await cluster.startCoordinator();
  const result = await cluster.result(job);
  expect(hashes(result)).toEqual(expected);
  expect(durable.size).toBeGreaterThanOrEqual(0.3 * 240);
  expect(cluster.coordinator.stderr).toContain(`${durable.size} of them done before`);
});

test("a job waits while there is no node, and goes on when one joins", async () => {
  const job = await cluster.submit("pi", { samples: 1_000_000 });
  expect((await cluster.client.overview()).jobs[0]?.state).toBe("running");
  await cluster.addNode("late");
  const result = await cluster.result(job);
  expect(result.shares).toMatchObject([{ name: "late" }]);
});
