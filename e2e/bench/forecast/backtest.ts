import { existsSync } from "node:fs";
import { join } from "node:path";
import { runLocal } from "../local.ts";
import type { Case, Contender } from "../model.ts";
import { optionsOf } from "../options-of.ts";
import type { Python } from "../../support/python.ts";
import { CHICAGO } from "./chicago.ts";

const TARGET = "humidity";
const TREES = 100;
const SEED = 1;
/** scikit-learn's error is the mean of these: one seed's differs from another's by some tenths of a per cent. */
const PEER_SEEDS = [1, 2, 3];
/** Next-day humidity from the calendar and the past of all columns. */
const FEATURES = { horizon: 1, lags: [1, 2, 3, 7], windows: [7, 30], harmonics: 1, folds: 5 } as const;

/** Real daily weather of one city, backtested with a rolling origin. */
export const chicagoCase = (python: Python): Case => ({
  name: "chicago",
  title: "next-day humidity of Chicago, 5,698 days, 5 folds with a rolling origin",
  needs: [{ flag: "--backtest" }, { flag: "--horizon" }, { flag: "--lags" }, { flag: "--model", word: "auto" }],
  ...(existsSync(CHICAGO) ? {} : { problem: "the data could not be fetched" }),
  once: true,
  contenders: [ours("auto"), ours("rf"), scikitLearn(python)],
  bars: [
    { label: "MSE, auto ÷ persistence", of: "auto", figure: "overPersistence", most: 1 },
    { label: "MSE, auto ÷ seasonal mean", of: "auto", figure: "overSeasonalMean", most: 1 },
    { label: "MSE, auto ÷ scikit-learn's forest", of: "auto", over: ["scikit-learn"], figure: "mse", most: 1 },
  ],
});

const ours = (model: "auto" | "rf"): Contender => ({
  name: model,
  async measure() {
    const { horizon, lags, windows, harmonics, folds } = FEATURES;
    const params = {
      ...{ observed: CHICAGO, target: TARGET, model, trees: TREES, seed: SEED, backtest: folds },
      ...{ horizon, lags: lags.join(), windows: windows.join(), lagColumns: "all", harmonics },
    };
    const { summary } = await runLocal("forecast", [...optionsOf(params), "--slots", "2"]);
    const metrics = summary.metrics as unknown as BacktestMetrics;
    const { mse, baselines, backtest } = metrics;
    return {
      figures: {
        seconds: summary.seconds,
        mse,
        overPersistence: mse / baselines.persistence.mse,
        overSeasonalMean: mse / baselines.seasonalMean.mse,
      },
      facts: {
        folds: backtest.folds.map(({ from, to, trainRows }) => `${trainRows} rows, then ${from} to ${to}`).join("; "),
        features: String(metrics.features),
        "MSE of persistence": baselines.persistence.mse.toFixed(6),
      },
    };
  },
});

/** What `kindling run forecast --backtest` reports, as far as it is read here. */
interface BacktestMetrics {
  readonly mse: number;
  readonly features: number;
  readonly baselines: Readonly<Record<"persistence" | "seasonalMean", { readonly mse: number }>>;
  readonly backtest: { readonly folds: readonly { from: string; to: string; trainRows: number }[] };
}

/** A forest of as many trees on the same lags. */
const scikitLearn = (python: Python): Contender => ({
  name: "scikit-learn",
  async measure() {
    const request = { file: CHICAGO, target: TARGET, trees: TREES, seeds: PEER_SEEDS, ...FEATURES };
    const result = await python.run(join(import.meta.dirname, "backtest.py"), request);
    const folds = result["folds"] as readonly (readonly [from: string, to: string, trainRows: number])[];
    return {
      figures: { seconds: Number(result["seconds"]), mse: Number(result["mse"]) },
      facts: {
        folds: folds.map(([from, to, trainRows]) => `${trainRows} rows, then ${from} to ${to}`).join("; "),
        features: String(result["features"]),
        "MSE of persistence": Number(result["persistence"]).toFixed(6),
      },
    };
  },
});
