import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { jobId } from "../shared/ids.ts";
import { philoxRng } from "../shared/rng.ts";
import type { Value } from "../shared/value.ts";
import { formatDate } from "../workloads/forecast/data/dates.ts";
import { syntheticWeather } from "../workloads/forecast/synthetic.ts";
import { Cluster, hashes } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";
import { until } from "./support/until.ts";

/** Enough for a level of histograms, for rules on a sample, and for several parts of a file. */
const ROWS = 300_000;
/** As many daily series as stations. */
const STATIONS = 120;

const folder = mkdtempSync(join(tmpdir(), "kindling-faults-"));
const args = ["--data-root", folder];

/** What disturbs a job, once it has come to a stage of that name. */
interface Disturbed {
  readonly params: Record<string, Value>;
  readonly stage: RegExp;
}
const kinds: Readonly<Record<string, Disturbed>> = {
  "rows over nodes, at a level": {
    params: { observed: "rows.csv", target: "y", distribute: "rows", trees: 8, maxDepth: 9, minLeaf: 10 },
    stage: /^level 0/,
  },
  "rows over nodes, at subtrees": {
    params: { observed: "rows.csv", target: "y", distribute: "rows", trees: 8, maxDepth: 9, minLeaf: 10 },
    stage: /^subtrees/,
  },
  "trees over nodes": { params: { observed: "weather.csv", trees: 200, partitions: 100 }, stage: /^fit/ },
  "a model for each station": {
    params: { observed: "stations.csv", series: "station", trees: 5, maxDepth: 8 },
    stage: /^fit.*station 2/,
  },
};

const expected = new Map<string, Record<string, string>>();
let cluster: Cluster;

beforeAll(async () => {
  writeFileSync(join(folder, "rows.csv"), largeRows());
  writeFileSync(join(folder, "weather.csv"), syntheticWeather(2).observed);
  writeFileSync(join(folder, "stations.csv"), stations());
  for (const { params } of Object.values(kinds)) {
    const key = JSON.stringify(params);
    if (expected.has(key)) continue;
    const options = Object.entries({ ...params, observed: join(folder, String(params["observed"])) }).flatMap(
      ([name, value]) => [`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, String(value)],
    );
    const { stdout } = await kindling(["run", "forecast", ...options, "--json"], { cwd: folder });
    expected.set(key, hashes(JSON.parse(stdout) as { artifacts: { name: string; sha256: string }[] }));
  }
});
beforeEach(async () => {
  cluster = await Cluster.start({ args });
});
afterEach(() => cluster.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Waits until a task of such a stage is done, while the job runs. */
const comesTo = (job: string, stage: RegExp): Promise<unknown> =>
  until(`${job} at ${String(stage)}`, async () => {
    const { state, stages, error } = await cluster.client.job(jobId(job));
    if (state !== "running") throw new Error(`${job} has ${state} before it could be disturbed: ${error?.message}`);
    return stages.some(({ label, done }) => stage.test(label) && done > 0);
  });

test.each(Object.entries(kinds))("a node is killed with -9 in the middle: %s", async (_name, { params, stage }) => {
  const victim = await cluster.addNode("victim");
  await cluster.addNode("stays");
  const job = await cluster.submit("forecast", params);
  await comesTo(job, stage);
  await victim.end("SIGKILL");
  const result = await cluster.result(job);
  expect(hashes(result)).toEqual(expected.get(JSON.stringify(params)));
  expect(result.shares.map(({ name }) => name).sort()).toEqual(["stays", "victim"]);
});

test.each(Object.entries(kinds).slice(1, 3))(
  "the coordinator is killed with -9 in the middle and started again: %s",
  async (_name, { params, stage }) => {
    await cluster.addNode("one");
    await cluster.addNode("two");
    const job = await cluster.submit("forecast", params);
    await comesTo(job, stage);
    await cluster.coordinator.end("SIGKILL");
    await cluster.startCoordinator({ args });
    expect(hashes(await cluster.result(job))).toEqual(expected.get(JSON.stringify(params)));
  },
);

function largeRows(): string {
  const rng = philoxRng(3, 1);
  const lines = ["date,a,b,c,d,e,y"];
  for (let row = 0; row < ROWS; row++) {
    const [a, b, c, d, e] = [rng.unit(), rng.unit(), rng.below(30), rng.below(1000), rng.unit()];
    const date = formatDate(7305 + Math.floor(row / 100), true);
    const y = 10 * a * b + c / 10 + (d > 700 ? 3 : 0) + rng.unit();
    lines.push(`${date},${a.toFixed(4)},${b.toFixed(6)},${c},${d},${e.toFixed(3)},${y.toFixed(3)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** A hundred days of many stations, their rows in turn. */
function stations(): string {
  const rng = philoxRng(4, 1);
  const lines = ["station,temp,date,humidity,wind"];
  for (let day = 0; day < 100; day++) {
    for (let station = 0; station < STATIONS; station++) {
      const [temp, wind] = [10 + (station % 7) + rng.unit() * 20, rng.unit() * 10];
      const humidity = 80 - temp + wind * (station % 3) + rng.unit();
      const name = `station ${station + 1}`;
      lines.push(
        `${name},${temp.toFixed(2)},${formatDate(18262 + day, false)},${humidity.toFixed(2)},${wind.toFixed(2)}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
