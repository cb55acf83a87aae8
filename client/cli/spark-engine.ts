import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSparkEngine } from "../../coordinator/index.ts";
import { KindlingError } from "../../shared/errors.ts";
import type { SparkEngine } from "../../shared/protocol/submit-request.ts";
import type { Value } from "../../shared/value.ts";
import { tupleParameters } from "../../workloads/string-count/parameters.ts";
import { writeTuples } from "./tuples-file.ts";

/**
 * Takes `--engine rdd|dataframe|mllib` out of a command line. It is no option like the others: `forecast` has a parameter of that name,
 * to which every other value belongs. Throws `BadUsage` for one where the workload has none.
 */
export function takeEngine(
  argv: readonly string[],
  hasParameter: boolean,
): { engine: SparkEngine | undefined; rest: readonly string[] } {
  for (const [index, arg] of argv.entries()) {
    const [flag, inline] = arg.split("=", 2);
    const value = inline ?? argv[index + 1] ?? "";
    if (flag !== "--engine") continue;
    if (isSparkEngine(value)) {
      return { engine: value, rest: [...argv.slice(0, index), ...argv.slice(index + (inline === undefined ? 2 : 1))] };
    }
    if (!hasParameter) {
      throw new KindlingError("BadUsage", `--engine takes rdd, dataframe or mllib, not ${JSON.stringify(value)}`);
    }
  }
  return { engine: undefined, rest: argv };
}

/** Whether an engine that reads files alone is to count tuples that there are not yet. */
const lacksFile = (engine: SparkEngine | undefined, params: Readonly<Record<string, Value>>): boolean =>
  (engine === "rdd" || engine === "dataframe") && params["input"] === undefined;

/** Throws `BadUsage` where a command that is printed would need a file that only a run writes. */
export function checkPrintable(engine: SparkEngine | undefined, params: Readonly<Record<string, Value>>): void {
  if (!lacksFile(engine, params)) return;
  throw new KindlingError("BadUsage", `--engine ${engine} counts a file: --print needs one, as --input`);
}

/** Runs `work` with the parameters of an engine that reads files alone: tuples to generate become a file as long as it runs. */
export async function withTuples<T>(
  engine: SparkEngine | undefined,
  params: Record<string, Value>,
  work: (params: Record<string, Value>) => Promise<T>,
): Promise<T> {
  if (!lacksFile(engine, params)) return work(params);
  const folder = await mkdtemp(join(tmpdir(), "kindling-tuples-"));
  try {
    const input = join(folder, "tuples.csv");
    const isTuples = ([param]: readonly [string, Value]): boolean => param in tupleParameters.shape;
    const entries = Object.entries(params);
    const tuples = tupleParameters.parse(Object.fromEntries(entries.filter(isTuples)));
    // The columns of the result, which a count of a file takes from that.
    const [key, value] = ["key", "count"] as const;
    await writeTuples(input, tuples, [key, value]);
    const others = Object.fromEntries(entries.filter((entry) => !isTuples(entry)));
    return await work({ ...others, input, key, value });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
