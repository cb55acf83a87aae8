import { fileURLToPath } from "node:url";
import { runFile } from "./run.ts";

const WORKLOAD = new URL("../../../workloads/forecast/predict.ts", import.meta.url);

/** `kindling predict`: a workload as others, with a name of its own since a model is used far more often than it is made. */
export const predict = (argv: readonly string[]): Promise<void> =>
  runFile("predict", fileURLToPath(WORKLOAD), "predict", argv);
