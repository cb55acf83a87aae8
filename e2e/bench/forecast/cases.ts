import type { Bar, Case } from "../model.ts";
import { missingNeeds } from "../needs.ts";
import type { Python } from "../../support/python.ts";
import { contenderMaker, type Params } from "./contenders.ts";
import { chicagoCase } from "./backtest.ts";
import type { Weather } from "./weather.ts";

/** All cases that fit `weather`; `help` is the workload's. */
export function forecastCases(python: Python, weather: Weather, help: string, keep: boolean): Case[] {
  const { local, tab, forest, onnx } = contenderMaker(python, weather, keep);
  const rows = weather.isReference ? "the original's rows" : "synthetic rows";
  // Bars on errors are meant for the original's data.
  const errorBars = (...bars: Bar[]): Bar[] => (weather.isReference ? bars : []);
  const bins: Params = missingNeeds(help, [{ flag: "--max-bins" }]).length === 0 ? { maxBins: 32 } : {};
  const full: Params = { trees: 100 };
  const mllib: Params = { trees: 20, maxDepth: 5, maxFeatures: "onethird", ...bins };

  return [
    {
      name: "rf-full",
      title: `100 full-depth bootstrapped trees, all features at each split, on ${rows}`,
      contenders: [local(full), forest({ n_estimators: 100 }), tab(full)],
      bars: [
        { label: "fit, local ÷ scikit-learn", of: "local", over: ["scikit-learn"], most: 0.15 },
        { label: "fit, one tab, 2 workers ÷ scikit-learn", of: "tab", over: ["scikit-learn"], most: 0.25 },
        { label: "leaves of a tree", of: "local", over: ["scikit-learn"], figure: "leaves", least: 0.98, most: 1.02 },
        ...errorBars({ label: "MSE, mean of seeds", of: "local", figure: "mse", average: "mean", most: 0.49 }),
      ],
    },
    {
      name: "rf-mllib",
      title: `20 trees, depth 5, a third of the features (MLlib's defaults), on ${rows}`,
      // scikit-learn would round a third of six features down to one.
      contenders: [local(mllib), forest({ n_estimators: 20, max_depth: 5, max_features: 2 })],
      bars: [{ label: "fit, local ÷ scikit-learn", of: "local", over: ["scikit-learn"], most: 0.33 }],
    },
    {
      name: "auto",
      title: `--model auto, on ${rows}`,
      needs: [{ flag: "--model", word: "auto" }],
      once: true,
      contenders: [local({ model: "auto" })],
      bars: errorBars({ label: "MSE", of: "local", figure: "mse", most: 0.15 }),
    },
    {
      name: "workers",
      title: `500 trees, one worker against two, on ${rows}`,
      contenders: [
        local({ trees: 500 }, { name: "one worker", slots: 1 }),
        local({ trees: 500 }, { name: "two workers", slots: 2 }),
      ],
      bars: [{ label: "one worker ÷ two workers", of: "one worker", over: ["two workers"], least: 1.8 }],
    },
    {
      name: "onnx",
      title: `predictions of the exported model by onnxruntime, 100 trees, on ${rows}`,
      needs: [{ flag: "--model-format", word: "onnx" }],
      once: true,
      contenders: [onnx(full)],
      bars: [{ label: "largest difference", of: "onnxruntime", figure: "difference", most: 1e-5 }],
    },
    chicagoCase(python),
  ];
}
