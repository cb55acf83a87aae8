import { InputError } from "kindling";
import type { Params } from "./options.ts";

/** Refuses what the library ml-random-forest has no counterpart of. */
export function checkLibraryParams(params: Params): void {
  const asked: Readonly<Record<string, boolean>> = {
    [`--model ${params.model}`]: params.model !== "rf",
    "--max-bins": params.maxBins !== undefined,
    "--min-info-gain": params.minInfoGain > 0,
    "--subsampling-rate": params.subsamplingRate !== undefined,
    "--intervals": params.intervals !== undefined,
    "--explain": params.explain,
    [`--trend ${params.trend}`]: params.trend !== "none",
    "--model-format onnx": params.modelFormat !== "json",
  };
  const [first] = Object.keys(asked).filter((option) => asked[option]);
  if (first === undefined) return;
  throw new InputError(`--engine ml-random-forest has no ${first}: leave it out, or use --engine kindling`);
}
