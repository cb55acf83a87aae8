import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Metrics } from "../../../shared/sdk/index.ts";
import type { Value } from "../../../shared/value.ts";
import { Fabric } from "../fabric.ts";
import { folders } from "../folders.ts";
import { runLocal } from "../local.ts";
import type { Contender, Measurement } from "../model.ts";
import { optionsOf } from "../options-of.ts";
import type { Python } from "../../support/python.ts";
import type { Weather } from "./weather.ts";

export type Params = Readonly<Record<string, Value>>;

const HOLDOUT = 0.1;

/** Makes contenders that fit the same rows; a round's number is its seed. */
export function contenderMaker(python: Python, weather: Weather, keep: boolean) {
  const observed = join(weather.folder, weather.observed);
  const paramsOf = (input: string, params: Params, seed: number): Record<string, Value> => ({
    ...{ observed: input, holdout: String(HOLDOUT), seed },
    ...params,
  });

  return {
    /** `kindling run forecast` in a process of its own. */
    local: (params: Params, { name = "local", slots = 2 } = {}): Contender => ({
      name,
      async measure(round) {
        const options = optionsOf(paramsOf(observed, params, round));
        const { summary } = await runLocal("forecast", [...options, "--slots", String(slots)]);
        return measurementOf(summary);
      },
    }),

    /** A job on a cluster whose only node is a tab with two workers. */
    tab(params: Params): Contender {
      const fabric = new Fabric([{ kind: "tab", slots: 2 }], weather.folder);
      return {
        name: "tab",
        start: () => fabric.start(),
        stop: () => fabric.stop(),
        measure: async (round) =>
          measurementOf(await fabric.run("forecast", paramsOf(weather.observed, params, round))),
      };
    },

    /** onnxruntime with the model that we wrote: how far its predictions are from ours. */
    onnx: (params: Params): Contender => ({
      name: "onnxruntime",
      async measure(round) {
        const files = { result: join(folders.out, "result.csv"), model: join(folders.out, "model.onnx") };
        const options = optionsOf({ ...paramsOf(observed, params, round), modelFormat: "onnx" });
        const request = { file: observed, holdout: HOLDOUT, ...files };
        try {
          await runLocal("forecast", [...options, "--out", files.result, "--model-out", files.model]);
          const { difference } = await python.run(join(import.meta.dirname, "onnx.py"), request);
          return { figures: { difference: Number(difference) } };
        } finally {
          if (!keep) for (const file of Object.values(files)) rmSync(file, { force: true });
        }
      },
    }),

    /** scikit-learn's RandomForestRegressor with two threads and these options of its own. */
    forest: (options: Readonly<Record<string, number>>): Contender => ({
      name: "scikit-learn",
      async measure(round) {
        const request = { file: observed, holdout: HOLDOUT, options: { ...options, random_state: round } };
        const fitted = await python.run(join(import.meta.dirname, "forest.py"), request);
        const { rows, features, repaired } = fitted;
        const figure = (name: string): number => Number(fitted[name]);
        return {
          figures: { seconds: figure("seconds"), mse: figure("mse"), leaves: figure("leaves") },
          facts: { data: describeData(rows, features, repaired) },
        };
      },
    }),
  };
}

/** Times are those of fitting one model; all of the job's is `jobSeconds`. */
function measurementOf(job: {
  readonly seconds: number;
  readonly metrics: Metrics;
  readonly artifacts: readonly { readonly name: string; readonly sha256: string }[];
}): Measurement {
  const { fitSeconds, mse, leaves, trainRows, features, repaired } = job.metrics;
  return {
    figures: {
      seconds: Number(fitSeconds),
      jobSeconds: job.seconds,
      mse: Number(mse),
      ...(typeof leaves === "number" ? { leaves } : {}),
    },
    facts: {
      data: describeData(trainRows, features, repaired),
      files: job.artifacts.map(({ name, sha256 }) => `${name} ${sha256}`).join(", "),
    },
  };
}

/** What was trained on, in words that are equal if it is the same. */
function describeData(rows: unknown, features: unknown, repaired: unknown): string {
  const columns = Object.entries((repaired ?? {}) as Record<string, number>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${Number(rows)} × ${Number(features)}, repaired ${columns.map(([name, cells]) => `${name} ${cells}`).join(", ")}`;
}
