import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSparkEngine } from "../../coordinator/index.ts";
import type { SparkEngine } from "../../shared/protocol/submit-request.ts";
import type { Value } from "../../shared/value.ts";
import { tupleParameters } from "../../workloads/string-count/parameters.ts";
import { writeTuples } from "./tuples-file.ts";

/**
 * Takes `--engine rdd|dataframe|mllib` out of a command line. It is no option like the others: `forecast` has a parameter of that name,
 * to which every other value belongs.
 */
export function takeEngine(argv: readonly string[]): { engine: SparkEngine | undefined; rest: readonly string[] } {
  for (const [index, arg] of argv.entries()) {
    const [flag, inline] = arg.split("=", 2);
    const value = inline ?? argv[index + 1] ?? "";
    if (flag !== "--engine" || !isSparkEngine(value)) continue;
    return { engine: value, rest: [...argv.slice(0, index), ...argv.slice(index + (inline === undefined ? 2 : 1))] };
  }
  return { engine: undefined, rest: argv };
}

/** Runs `work` with the parameters of an engine that reads files alone: tuples to generate become a file as long as it runs. */
export async function withTuples<T>(
  engine: SparkEngine | undefined,
  params: Record<string, Value>,
  work: (params: Record<string, Value>) => Promise<T>,
): Promise<T> {
  if ((engine !== "rdd" && engine !== "dataframe") || params["input"] !== undefined) return work(params);
  const folder = await mkdtemp(join(tmpdir(), "kindling-tuples-"));
  try {
    const input = join(folder, "tuples.csv");
    const own = Object.keys(tupleParameters.shape);
    const given = Object.fromEntries(Object.entries(params).filter(([param]) => own.includes(param)));
    const tuples = tupleParameters.parse(given);
    await writeTuples(input, tuples);
    return await work({ ...params, tuples: tuples.tuples, input });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
