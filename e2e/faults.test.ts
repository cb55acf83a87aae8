import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Value } from "../shared/value.ts";
import { Cluster, hashes } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";
import { until } from "./support/until.ts";

/** Long enough to be disturbed in the middle, on two slow slots. */
const JOB: Record<string, Value> = { tuples: 60_000_000, partitions: 240, seed: 11 };

let expected: Record<string, string>;
let cluster: Cluster;

beforeAll(async () => {
  const { stdout } = await kindling([
    ...["run", "string-count", "--tuples", "60000000", "--partitions", "240", "--seed", "11", "--json"],
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
});

test.each([0.1, 0.5, 0.9])(
  "the coordinator is killed with -9 at %f and started again: nothing durable runs twice",
  async (share) => {
    await cluster.addNode("one");
    await cluster.addNode("two");
    const job = await cluster.submit("string-count", JOB);
    await cluster.progressed(job, share);
    await cluster.coordinator.end("SIGKILL");
    await cluster.startCoordinator();
    const restarted = performance.now();
    cluster.mark("restarted");
    await until("work goes on", () => cluster.executions().at(-1)?.outcome !== "restarted");
    const resumedAfter = performance.now() - restarted;
    const result = await cluster.result(job);

    expect(hashes(result)).toEqual(expected);
    expect(resumedAfter).toBeLessThan(5_000);
    const log = cluster.executions().filter(({ outcome, task }) => outcome === "ok" && task.startsWith(job));
    const runs = new Map<string, number>();
    for (const { task } of log) runs.set(task, (runs.get(task) ?? 0) + 1);
    const twice = [...runs].filter(([, count]) => count > 1);
    // Nodes outlive the coordinator and hand in what they finished meanwhile: every partition runs once.
    expect(twice).toEqual([]);
    expect(runs.size).toBeGreaterThanOrEqual(240);
  },
);

test("a job waits while there is no node, and goes on when one joins", async () => {
  const job = await cluster.submit("pi", { samples: 1_000_000 });
  expect((await cluster.client.overview()).jobs[0]?.state).toBe("running");
  await cluster.addNode("late");
  const result = await cluster.result(job);
  expect(result.shares).toMatchObject([{ name: "late" }]);
});
