import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { KindlingError } from "../../shared/errors.ts";
import type { SparkEngine } from "../../shared/protocol/submit-request.ts";
import type { Value } from "../../shared/value.ts";
import { parseBytes } from "./bytes.ts";
import { DEFAULT_URL } from "./link.ts";
import { wholeNumber } from "./numbers.ts";
import { aligned, describeOptions, flagOf, type OwnOption, type SchemaOption } from "./schema-options.ts";
import { ENGINE_HELP, refuseSparkOptions, SPARK_OPTIONS } from "./spark-options.ts";
import type { RunSummary } from "./summary.ts";

/** The options of `run` beside those of the workload. */
export const RUN_OPTIONS = {
  executor: {
    type: "string",
    value: "local|fabric|spark",
    help: "where it runs: in this process, on a coordinator's nodes, or on Apache Spark",
  },
  on: { type: "string", value: "URL", help: `the coordinator of executor fabric (default ${DEFAULT_URL})` },
  token: { type: "string", value: "T", help: "the coordinator's operator token" },
  "data-dir": { type: "string", value: "DIR", help: "where a coordinator on this machine keeps its token" },
  slots: { type: "string", value: "N", help: "workers of executor local (default: one for each core)" },
  memory: {
    type: "string",
    value: "BYTES",
    help: "memory that the workers of executor local may use together, e.g. 512M",
  },
  out: {
    type: "string",
    value: "FILE",
    help: "write the result file here (- for standard output); its ending says in which format",
  },
  "model-out": {
    type: "string",
    value: "FILE",
    help: "write the model here, where the workload makes one; its ending says in which format",
  },
  report: {
    type: "string",
    value: "FILE",
    help: "write a report here, one HTML file, where the workload can make one",
  },
  shuffle: {
    type: "string",
    value: "auto|peer|relay",
    help: "how nodes get each other's outputs: from each other, through the coordinator, or as suits (auto)",
  },
  ...SPARK_OPTIONS,
  json: { type: "boolean", help: "print one JSON object on standard output, and nothing else" },
  verbose: { type: "boolean", help: "log what the scheduler does" },
  help: { type: "boolean", help: "show this" },
} as const satisfies Record<string, OwnOption>;

type OwnValue<O> = O extends { multiple: true } ? string[] : O extends { type: "boolean" } ? boolean : string;
/** What was given of them. */
export type RunOptions = { [K in keyof typeof RUN_OPTIONS]?: OwnValue<(typeof RUN_OPTIONS)[K]> };
export type Executor = RunSummary["executor"];
const EXECUTORS: readonly Executor[] = ["local", "fabric", "spark"];
const LOCAL_OPTIONS = ["slots", "memory"] as const;

/** Where it runs. Throws `BadUsage` for options that another executor would have. */
export function executorOf(own: RunOptions, engine: SparkEngine | undefined): Executor {
  const executor = EXECUTORS.find((known) => known === (own.executor ?? (own.on === undefined ? "local" : "fabric")));
  if (executor === undefined) {
    throw new KindlingError("BadUsage", `--executor takes local, fabric or spark, not ${JSON.stringify(own.executor)}`);
  }
  if (executor !== "spark") refuseSparkOptions(own, engine);
  const odd = executor === "local" ? [] : LOCAL_OPTIONS.filter((name) => own[name] !== undefined);
  if (odd.length > 0) throw new KindlingError("BadUsage", `--${odd.join(" and --")}: only with --executor local`);
  return executor;
}

/** Workers of executor local. */
export const slotsOf = ({ slots }: RunOptions): number =>
  slots === undefined ? availableParallelism() : wholeNumber(slots, "slots", 1, 1024);

/**
 * The parameters that follow from the workers of executor local, unless they are given: how many there are, and what each may use.
 * Throws `BadUsage` where that is less than the workload needs.
 */
export function withWorkers(
  params: Record<string, Value>,
  own: RunOptions,
  options: readonly SchemaOption[],
): Record<string, Value> {
  const workers = slotsOf(own);
  const values: Record<string, Value> = {
    workers,
    taskMemory: own.memory === undefined ? undefined : Math.floor(parseBytes(own.memory, "memory") / workers),
  };
  const filled = options.flatMap(({ param, property }) => {
    const value = values[property.kindling ?? ""];
    if (value === undefined || params[param] !== undefined) return [];
    const { minimum = 0 } = property;
    if (Number(value) >= minimum) return [[param, value]];
    throw new KindlingError(
      "BadUsage",
      `--memory ${own.memory} is too little for ${workers} workers, of which each needs ${minimum} bytes: give more, or fewer --slots`,
    );
  });
  return { ...(Object.fromEntries(filled) as Record<string, Value>), ...params };
}

/** The parameters that follow from where results are to go: the formats of the result and the model, and whether a report is wanted. */
export function withOutputs(
  params: Record<string, Value>,
  own: RunOptions,
  options: readonly SchemaOption[],
): Record<string, Value> {
  const format = {
    ...formatOf("model-out", own["model-out"], "modelFormat", params, options),
    ...formatOf("out", own.out, "output", params, options),
  };
  if (own.report === undefined) return { ...params, ...format };
  if (!options.some(({ param }) => param === "reportData"))
    throw new KindlingError("BadUsage", "--report: this workload makes no report");
  return { ...params, ...format, reportData: true };
}

/**
 * The format that a file's ending asks for. Throws `BadUsage` where it is none of the workload's, unless `param` says one; and
 * where both say different ones.
 */
function formatOf(
  option: string,
  file: string | undefined,
  param: string,
  params: Readonly<Record<string, Value>>,
  options: readonly SchemaOption[],
): Record<string, Value> {
  const ending = extname(file ?? "");
  const known = options.find((other) => other.param === param)?.property.enum;
  if (ending === "" || known === undefined) return {};
  const format = ending.slice(1).toLowerCase();
  const given = params[param];
  if (known.includes(format) && (given === undefined || given === format)) return { [param]: format };
  if (known.includes(format)) {
    throw new KindlingError("BadUsage", `--${option} ${file}: ${flagOf(param)} ${String(given)} says another format`);
  }
  if (given !== undefined) return {};
  const endings = known.map((each) => `.${String(each)}`).join(" or ");
  throw new KindlingError("BadUsage", `--${option} ${file}: its ending says the format, and must be ${endings}`);
}

/** The help of a command that is called `command`, for a workload with these options. */
export function usage(command: string, options: readonly SchemaOption[]): string {
  const rows = Object.entries<OwnOption>(RUN_OPTIONS).map(
    ([flag, { help, value }]) => [`--${flag}${value ? ` ${value}` : ""}`, help] as const,
  );
  const workload = options.length > 0 ? `\nParameters:\n${describeOptions(options)}\n` : "";
  return `Usage: kindling ${command} [options]\n\nOptions:\n${aligned([...rows, ENGINE_HELP])}\n${workload}`;
}
