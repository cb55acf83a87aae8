import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster } from "./support/cluster.ts";
import { kindling, Running } from "./support/processes.ts";

let folder: string;
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kindling-bad-"));
  write("counts.csv", "key,value\na,1\nb,2\n");
  write("text.csv", "key,value\na,1\nb,two\n");
  write("ragged.csv", "key,value\na,1\nb\n");
  write("empty.csv", "");
  write("overflow.csv", `key,value\na,${2n ** 63n - 1n}\nb,1\na,1\n`);
  const days = Array.from({ length: 40 }, (_, day) => `202001${String((day % 31) + 1).padStart(2, "0")},${day},1,2,3`);
  write("weather-text.csv", `date,temp,wind,rainfall,humidity\n${days.slice(0, 20).join("\n")}\n20200121,warm,1,2,3\n`);
  write("weather-no-target.csv", `date,temp,wind,rainfall\n20200101,1,2,3\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a stranger would type, and what the one line on standard error must name. */
const CASES: readonly (readonly [what: string, args: string, code: 1 | 2, names: readonly RegExp[]])[] = [
  ["a missing file", "run string-count --input none.csv --out out.csv", 1, [/none\.csv/, /no such file/]],
  [
    "a missing column",
    "run string-count --input counts.csv --value amount --out out.csv",
    1,
    [/counts\.csv/, /amount/],
  ],
  [
    "text where a number belongs",
    "run string-count --input text.csv --out out.csv",
    1,
    [/text\.csv/, /row 3/, /value/],
  ],
  ["a ragged row", "run string-count --input ragged.csv --out out.csv", 1, [/ragged\.csv/, /row 3/]],
  ["an empty file", "run string-count --input empty.csv --out out.csv", 1, [/empty\.csv/, /empty/]],
  ["a sum over 64 bits", "run string-count --input overflow.csv --out out.csv", 1, [/overflow/i, /\ba\b/]],
  ["an unknown option", "run string-count --tupels 5", 2, [/--tupels/]],
  ["no tuples", "run string-count --tuples 0 --out out.csv", 2, [/tuples/]],
  ["a number that is none", "run string-count --tuples many", 2, [/--tuples/, /many/]],
  ["an unknown backend", "run string-count --tuples 5 --backend gpu", 2, [/--backend/, /gpu/]],
  ["an unknown workload", "run string-cuont", 2, [/string-cuont/]],
  ["a workload file that is not there", "run ./none.ts", 1, [/none\.ts/]],
  ["an output folder that is not there", "run pi --samples 10 --out none/out.csv", 1, [/none\/out\.csv/]],
  [
    "a result over an input",
    "run string-count --input counts.csv --out ./counts.csv",
    2,
    [/counts\.csv/, /input files/],
  ],
  [
    "a report over an input",
    "run forecast --observed weather-no-target.csv --report ./weather-no-target.csv",
    2,
    [/weather-no-target\.csv/, /input files/],
  ],
  [
    "text in a weather file",
    "run forecast --observed weather-text.csv --out out.csv",
    1,
    [/weather-text\.csv/, /row 22/, /temp/],
  ],
  [
    "a target that is not there",
    "run forecast --observed weather-no-target.csv --out out.csv",
    1,
    [/weather-no-target\.csv/, /humidity/],
  ],
  [
    "a target that is the column of dates",
    "run forecast --observed weather-no-target.csv --target date",
    2,
    [/--target/, /"date" is the column of dates/],
  ],
  ["a model of a workload that makes none", "run pi --samples 10 --model-out m.json", 2, [/--model-out/, /no model/]],
  [
    "models of series that are not asked for",
    "run forecast --observed counts.csv --series key --model-out m.json",
    2,
    [/--model-out/, /--series-models/],
  ],
  [
    "a model in no known format",
    "run forecast --observed counts.csv --model-out m.pkl",
    2,
    [/--model-out m\.pkl/, /\.json or \.onnx/],
  ],
  [
    "a result in no known format",
    "run forecast --observed counts.csv --out r.parquet",
    2,
    [/--out r\.parquet/, /\.csv/],
  ],
  ["a missing required option", "run forecast --out out.csv", 2, [/observed is required/]],
  ["generated tuples and a file", "run string-count --input weather.csv --tuples 5", 2, [/--tuples/, /--input/]],
  ["columns of a file, and no file", "run string-count --tuples 5 --no-header", 2, [/--header/, /--input/]],
  ["a port that is no port", "start --port 99999", 2, [/--port/, /99999/]],
  ["an unknown command", "strat", 2, [/strat/, /start/]],
  ["an unknown option of a command", "start --prot 8081", 2, [/--prot\b/, /--port/]],
  ["a command without what it needs", "node", 2, [/--join/]],
  ["a node without a token", "node --join http://127.0.0.1:9", 2, [/token/]],
  ["a data directory that cannot be written", "start --port 0 --data-dir counts.csv/data", 1, [/counts\.csv/]],
];

test.each(CASES)("%s: one clear line, and nothing half-written", async (_, args, code, names) => {
  const before = readdirSync(folder).sort();
  const run = await kindling(args.split(" "), { cwd: folder });
  expect(run.stderr).toMatch(/^kindling: .*\n$/);
  for (const name of names) expect(run.stderr).toMatch(name);
  expect(run.code).toBe(code);
  expect(run.stdout).toBe("");
  expect(readdirSync(folder).sort()).toEqual(before);
});

test("a line of a gigabyte is refused by its row, in bounded memory", { timeout: 60_000 }, async () => {
  const file = join(folder, "gigabyte.csv");
  const small = new Running(["run", "string-count", "--input", "counts.csv", "--value", "nothing"], { cwd: folder });
  writeFileSync(file, "key,value\na,1\n");
  // Sparse: zeros that take no room on the disk.
  truncateSync(file, 2 ** 30);
  const run = new Running(["run", "string-count", "--input", "gigabyte.csv", "--on-bad-row", "skip"], { cwd: folder });
  const look = setInterval(() => void [small.peakBytes, run.peakBytes], 20);
  const { code, stderr } = await run.ended.finally(() => clearInterval(look));
  await small.ended;
  rmSync(file);
  expect(code).toBe(1);
  expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
    /^kindling: gigabyte\.csv: row 3: it is longer than 4194304 bytes/,
  );
  // Next to what any run takes, a few times the longest row for each worker.
  if (run.peakBytes !== null) expect(run.peakBytes - (small.peakBytes ?? 0)).toBeLessThan(300e6);
});

test("a port in use is named, with what to do", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const run = await kindling(["start", "--port", String(port), "--data-dir", join(folder, "data")]);
  server.close();
  expect(run.stderr).toMatch(new RegExp(`${port}.*in use`));
  expect(run.stderr).toMatch(/--port/);
  expect(run.code).toBe(1);
  expect(existsSync(join(folder, "data"))).toBe(false);
});

test("a data directory serves one coordinator at a time", async () => {
  const cluster = await Cluster.start();
  try {
    const second = await kindling(["start", "--port", "0", "--data-dir", cluster.dataDir]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(cluster.dataDir);
  } finally {
    await cluster.close();
  }
});
