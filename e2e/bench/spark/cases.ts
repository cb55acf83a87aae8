import { rmSync } from "node:fs";
import { join } from "node:path";
import type { RunSummary } from "../../../client/cli/summary.ts";
import { folders } from "../folders.ts";
import type { Weather } from "../forecast/weather.ts";
import { runLocal } from "../local.ts";
import type { Contender } from "../model.ts";
import type { CountCase } from "../string-count/cases.ts";
import { describeCounts, readCounts } from "../string-count/counts-file.ts";
import { inputName, tuplesAt } from "../string-count/inputs.ts";

/** Of the tuples that all others count: an RDD of Python objects takes too long and too much memory for more. */
const RDD_SHARE = 0.1;
/** Spark on this machine's two cores; its own default heap is too small for what it is to do. */
const SPARK = ["--executor", "spark", "--master", "local[2]", "--spark-conf", "spark.driver.memory=4g"];
const OURS = ["--slots", "2"];

/** Spark's own ways against ours, on Spark and in one process. A Spark session's start is not counted for anybody. */
export function sparkCases(scale: number, weather: Weather, keep: boolean, problem: string | undefined): CountCase[] {
  const tuples = tuplesAt(scale);
  const fewer = tuplesAt(scale * RDD_SHARE);
  const inputs = [tuples, fewer].map((count) => ({ input: "letters3" as const, tuples: count }));
  const left = problem === undefined ? {} : { problem };

  const counting = (name: string, count: number, options: readonly string[]): Contender => ({
    name,
    async measure() {
      const out = join(folders.out, `spark-${name}.csv`);
      try {
        const input = ["--input", join(folders.data, inputName("letters3", count))];
        const { summary } = await runLocal("string-count", [...input, ...options, "--out", out, ...dataDir()]);
        const { countSeconds } = summary.metrics;
        // Spark's own ways: from the tuples (rdd) or the file (dataframe) to the sums in memory, without the sorted file.
        const seconds = typeof countSeconds === "number" ? countSeconds : summary.seconds;
        const result = describeCounts(await readCounts(out));
        return {
          figures: { seconds, perTuple: (1e9 * seconds) / count },
          facts: { [`sums of ${count} tuples`]: result },
        };
      } finally {
        if (!keep) rmSync(out, { force: true });
      }
    },
  });
  const fitting = (name: string, options: readonly string[]): Contender => ({
    name,
    async measure(round) {
      const observed = ["--observed", join(weather.folder, weather.observed), "--seed", String(round)];
      const { summary } = await runLocal("forecast", [...observed, ...options, ...dataDir()]);
      return { figures: { seconds: fitSeconds(summary), mse: Number(summary.metrics["mse"]) } };
    },
  });

  const bar = (of: string, over: string, most: number) => ({
    ...{ label: `nanoseconds a tuple, ${of} ÷ ${over}`, of, over: [over], figure: "perTuple", most },
  });
  const mllib = ["--trees", "20", "--max-depth", "5", "--max-features", "onethird", "--max-bins", "32"];
  return [
    {
      name: "count",
      title: `CSV, 3 letters, ${tuples / 1e6}M tuples; as an RDD of Python tuples in memory ${fewer / 1e6}M`,
      inputs,
      ...left,
      contenders: [
        counting("rdd", fewer, [...SPARK, "--engine", "rdd"]),
        counting("dataframe", tuples, [...SPARK, "--engine", "dataframe"]),
        counting("bridge", tuples, SPARK),
        counting("local", tuples, OURS),
      ],
      bars: [
        bar("local", "rdd", 0.01),
        bar("local", "dataframe", 0.05),
        bar("bridge", "rdd", 0.1),
        bar("bridge", "dataframe", 0.5),
      ],
    },
    {
      name: "forecast",
      title: `20 trees of depth 5, a third of the features, on ${weather.isReference ? "the original's" : "synthetic"} rows`,
      inputs: [],
      ...left,
      contenders: [fitting("mllib", [...SPARK, "--engine", "mllib"]), fitting("local", [...OURS, ...mllib])],
      bars: [{ label: "fit, local ÷ mllib", of: "local", over: ["mllib"], most: 0.1 }],
    },
  ];
}

const dataDir = (): string[] => ["--data-dir", join(folders.out, "spark")];

const fitSeconds = ({ metrics }: RunSummary): number => Number(metrics["fitSeconds"]);
