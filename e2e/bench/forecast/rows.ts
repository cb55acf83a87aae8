import { basename, join } from "node:path";
import type { JobView } from "../../../shared/protocol/api.ts";
import type { Value } from "../../../shared/value.ts";
import type { Python } from "../../support/python.ts";
import { Fabric } from "../fabric.ts";
import { folders, makeOnce } from "../folders.ts";
import { runLocal } from "../local.ts";
import type { Case, Contender, Measurement } from "../model.ts";
import { optionsOf } from "../options-of.ts";
import { LARGE_TARGET, largeHoldout, writeLargeRows } from "./large-rows.ts";

const ROWS = 2_000_000;
const SEED = 1;
const [TREES, DEPTH, BINS, MIN_LEAF] = [50, 12, 64, 20];
/** What each of the four nodes is told that it may use, and the bar on what is resident. */
const NODE_MEMORY = "128M";
const MOST_RESIDENT = 300e6;
/** A Poisson-distributed weight around 1 is not 0 for so many rows. */
const DRAWN = 0.632;

/** Rows over four nodes against LightGBM with all rows, and against a tenth of the rows. */
export function rowsCases(python: Python, scale: number): Case[] {
  const rows = Math.round(ROWS * scale);
  const tenth = Math.round(rows / 10);
  const title = `${rows} rows × 20 features, ${TREES} trees of depth ${DEPTH}, ${BINS} bins`;
  return [
    {
      name: "rows",
      title: `${title}: rows over four nodes of one slot`,
      needs: [{ flag: "--distribute", word: "rows" }],
      once: true,
      contenders: [lightGbm(python, rows), local(rows), fourNodes("four nodes", rows)],
      bars: [
        { label: "fit, four nodes ÷ LightGBM", of: "four nodes", over: ["lightgbm"], most: 1.5 },
        { label: "fit, local ÷ LightGBM", of: "local", over: ["lightgbm"], most: 1.5 },
        { label: "MSE, four nodes ÷ LightGBM", of: "four nodes", over: ["lightgbm"], figure: "mse", most: 1.05 },
        {
          label: "resident, largest of four",
          of: "four nodes",
          figure: "peakBytes",
          average: "max",
          most: MOST_RESIDENT,
        },
      ],
    },
    {
      name: "rows-ten-times",
      title: `${title}, against ${tenth} rows`,
      needs: [{ flag: "--distribute", word: "rows" }],
      once: true,
      contenders: [fourNodes("once", tenth, "files of the fewer"), fourNodes("ten times", rows, "files of the more")],
      bars: [
        { label: "ten times ÷ once, fit", of: "ten times", over: ["once"], most: 11 },
        {
          label: "resident, largest of four",
          of: "ten times",
          figure: "peakBytes",
          average: "max",
          most: MOST_RESIDENT,
        },
      ],
    },
  ];
}

/** Writes the files that a case reads, once. */
export async function makeRows(name: string, scale: number, say: (line: string) => void): Promise<void> {
  const rows = Math.round(ROWS * scale);
  const counts = name === "rows" ? [rows] : name === "rows-ten-times" ? [Math.round(rows / 10), rows] : [];
  for (const count of counts) {
    await makeOnce(fileOf(count), say, (partial) => writeLargeRows(partial, count, SEED));
  }
}

const fileOf = (rows: number): string => join(folders.data, `rows-${rows}.csv`);

const paramsOf = (observed: string, rows: number): Record<string, Value> => ({
  ...{ observed, target: LARGE_TARGET, holdout: largeHoldout(rows), distribute: "rows", seed: SEED },
  ...{ trees: TREES, maxDepth: DEPTH, maxBins: BINS, minLeaf: MIN_LEAF },
});

/** The local executor is one node: what it writes must be what four write. */
const local = (rows: number): Contender => ({
  name: "local",
  async measure() {
    const options = optionsOf(paramsOf(fileOf(rows), rows));
    const { summary, peakBytes } = await runLocal("forecast", [...options, "--slots", "2"]);
    return measurementOf(summary, peakBytes === null ? [] : [peakBytes]);
  },
});

/** Four headless nodes of one slot each. */
function fourNodes(name: string, rows: number, fact = "files"): Contender {
  const spec = { kind: "headless", slots: 1, memory: NODE_MEMORY } as const;
  const fabric = new Fabric(
    Array.from({ length: 4 }, () => spec),
    folders.data,
  );
  return {
    name,
    async measure() {
      // They live for this one job alone: their peak is its own, and they leave the machine to others.
      await fabric.start();
      try {
        const job = await fabric.run("forecast", paramsOf(basename(fileOf(rows)), rows));
        return measurementOf(job, fabric.peaks(), fact);
      } finally {
        await fabric.stop();
      }
    },
  };
}

/** `seconds` is the time of fitting, distribution included, from rows that are binned; `jobSeconds` that of all. */
function measurementOf(
  job: Pick<JobView, "metrics" | "artifacts"> & { readonly seconds: number | null },
  peaks: readonly number[],
  fact = "files",
): Measurement {
  const { fitSeconds, mse, leaves, trainRows, features } = job.metrics;
  const named = peaks.map((bytes, node) => [`peakBytes${node + 1}`, bytes] as const);
  return {
    figures: {
      seconds: Number(fitSeconds),
      jobSeconds: Number(job.seconds),
      mse: Number(mse),
      leaves: Number(leaves),
      peakBytes: Math.max(...peaks),
      ...(named.length > 1 && Object.fromEntries(named)),
    },
    facts: {
      data: `${Number(trainRows)} × ${Number(features)}`,
      [fact]: job.artifacts.map(({ name, sha256 }) => `${name} ${sha256}`).join(", "),
    },
  };
}

/** LightGBM's rf mode with two threads; its bagging draws as many rows as our weights are not 0 for. */
const lightGbm = (python: Python, rows: number): Contender => ({
  name: "lightgbm",
  async measure() {
    const options = {
      ...{ objective: "regression", boosting: "rf", seed: SEED, bagging_fraction: DRAWN, bagging_freq: 1 },
      ...{ num_leaves: 2 ** DEPTH, max_depth: DEPTH, max_bin: BINS, min_data_in_leaf: MIN_LEAF, feature_fraction: 1 },
    };
    const request = {
      file: fileOf(rows),
      target: LARGE_TARGET,
      holdout: largeHoldout(rows),
      trees: TREES,
      threads: 2,
      options,
    };
    const result = await python.run(join(import.meta.dirname, "large_rows.py"), request);
    const names = ["seconds", "binSeconds", "mse", "leaves", "peakBytes"] as const;
    return {
      figures: Object.fromEntries(names.map((name) => [name, Number(result[name])])),
      facts: { data: `${Number(result["rows"])} × ${Number(result["features"])}` },
    };
  },
});
