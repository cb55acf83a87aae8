import { KindlingError } from "../../../shared/errors.ts";
import { SPARK_ENGINES, type SparkEngine } from "../../../shared/protocol/submit-request.ts";
import type { Value } from "../../../shared/value.ts";

const COUNT = {
  workload: "string-count",
  params: ["input", "format", "key", "value", "top", "output", "tuples", "keyLength", "alphabet", "maxValue", "seed"],
};
const FORECAST = {
  workload: "forecast",
  params: ["observed", "future", "target", "date", "holdout", "output", "seed"],
};

/** What each of Spark's own ways can do: a built-in workload, with these parameters. */
const ABILITIES: Readonly<Record<SparkEngine, { readonly workload: string; readonly params: readonly string[] }>> = {
  rdd: COUNT,
  dataframe: COUNT,
  mllib: FORECAST,
};

export const isSparkEngine = (text: string): text is SparkEngine => SPARK_ENGINES.some((engine) => engine === text);

/** Throws `BadUsage` for a workload or parameters that the engine has not. */
export function checkEngine(engine: SparkEngine, workload: string, params: Readonly<Record<string, Value>>): void {
  const able = ABILITIES[engine];
  if (workload !== able.workload) {
    throw new KindlingError("BadUsage", `--engine ${engine} is for ${able.workload}, not for ${workload}`);
  }
  const odd = Object.keys(params).find((param) => !able.params.includes(param));
  if (odd !== undefined) {
    throw new KindlingError("BadUsage", `--engine ${engine} has no parameter ${odd}; it has ${able.params.join(", ")}`);
  }
  if (params["output"] === "parquet") throw new KindlingError("BadUsage", `--engine ${engine} writes CSV alone`);
  if (typeof params["holdout"] === "string" && params["holdout"].includes("..")) {
    throw new KindlingError("BadUsage", `--engine ${engine} takes a share such as 0.1 as --holdout`);
  }
}
