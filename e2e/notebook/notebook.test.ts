import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { NOTEBOOK_PYTHON } from "../support/notebook.ts";
import { openPython } from "../support/python.ts";
import { sparkProblem, testedReleases } from "../support/spark.ts";

const PROJECT = join(import.meta.dirname, "../..");
const NOTEBOOK = join(PROJECT, "docker/emr/kindling.ipynb");
const folder = mkdtempSync(join(tmpdir(), "kindling-e2e-notebook-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [spark] = testedReleases();

test.skipIf(spark === undefined)(
  `the notebook runs both jobs on Spark and draws its charts${spark === undefined ? ` (${sparkProblem()})` : ""}`,
  async () => {
    const { SPARK_HOME = "" } = spark?.env ?? {};
    Object.assign(process.env, spark?.env, {
      KINDLING: `${process.execPath} ${join(PROJECT, "client/cli/kindling.ts")}`,
      KINDLING_SPARK: `--executor spark --master local[2] --data-dir ${join(folder, "data")}`,
      KINDLING_TUPLES: "20000",
      KINDLING_TREES: "3",
      KINDLING_WORK: join(folder, "work"),
      // The kernel's pyspark is the one of the release under test.
      PYTHONPATH: dirname(SPARK_HOME),
    });
    const request = { notebook: NOTEBOOK, folder };
    const { pictures, text } = await openPython(NOTEBOOK_PYTHON).run(join(import.meta.dirname, "execute.py"), request);
    expect(pictures).toHaveLength(3);
    for (const picture of pictures as string[]) expect(picture.length).toBeGreaterThan(5_000);
    expect((text as string[]).join("")).toMatch(/^mean squared error on the last tenth: \d+\.\d{3}\n/);
  },
  600_000,
);

test("the notebook is kept without outputs", () => {
  const { cells } = JSON.parse(readFileSync(NOTEBOOK, "utf8")) as {
    cells: { cell_type: string; outputs?: unknown[] }[];
  };
  const code = cells.filter(({ cell_type }) => cell_type === "code");
  expect(code.length).toBeGreaterThan(4);
  for (const { outputs } of code) expect(outputs).toEqual([]);
});
