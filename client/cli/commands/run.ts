import { availableParallelism, totalmem } from "node:os";
import { extname } from "node:path";
import { toJSONSchema } from "zod";
import {
  type Bundle,
  builtinPath,
  bundleWorkload,
  checkEngine,
  checkParams,
  isBuiltin,
  loadWorkload,
} from "../../../coordinator/index.ts";
import { systemClock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";
import { blobHash, jobId } from "../../../shared/ids.ts";
import type { JobView } from "../../../shared/protocol/api.ts";
import type { SparkEngine, SparkRequest } from "../../../shared/protocol/submit-request.ts";
import { SHUFFLE_MODES, type ShuffleMode } from "../../../shared/protocol/shuffle.ts";
import type { Value } from "../../../shared/value.ts";
import { parseReport } from "../../../workloads/forecast/html-report/data.ts";
import { reportPage } from "../../../workloads/forecast/html-report/page.ts";
import { parseBytes } from "../bytes.ts";
import { confirm } from "../confirm.ts";
import { followJob } from "../follow-job.ts";
import { onInterrupt } from "../interrupts.ts";
import { inputFiles } from "../input-files.ts";
import { DEFAULT_DATA_DIR, DEFAULT_URL } from "../link.ts";
import { startLocal } from "../local.ts";
import { wholeNumber } from "../numbers.ts";
import { OutFiles } from "../out-files.ts";
import { writeWhole } from "../part-file.ts";
import { showProgress } from "../progress.ts";
import { connectTo, download, uploadFile } from "../remote.ts";
import {
  aligned,
  describeOptions,
  flagOf,
  type OwnOption,
  parseOptions,
  type SchemaOption,
  schemaOptions,
} from "../schema-options.ts";
import { printSpark, runSpark, type SparkRunOptions } from "../spark.ts";
import { checkPrintable, takeEngine, withTuples } from "../spark-engine.ts";
import { ENGINE_HELP, refuseSparkOptions, SPARK_OPTIONS, sparkRequest } from "../spark-options.ts";
import { printable, type RunSummary, summarize, toJson } from "../summary.ts";

const OWN = {
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
  out: { type: "string", value: "FILE", help: "write the result file here" },
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
type Own = { [K in keyof typeof OWN]?: OwnValue<(typeof OWN)[K]> };
type Executor = RunSummary["executor"];
const EXECUTORS: readonly Executor[] = ["local", "fabric", "spark"];

/** `kindling run WORKLOAD|FILE.ts [options]`. */
export async function run(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h") {
    process.stdout.write(usage("run WORKLOAD|FILE.ts", []));
    if (name === undefined)
      throw new KindlingError("BadUsage", "run needs a workload: forecast, string-count, pi, or a file");
    return;
  }
  if (name.startsWith("-")) {
    throw new KindlingError("BadUsage", "The workload comes first: kindling run WORKLOAD [options]");
  }
  const file = isBuiltin(name) ? builtinPath(name) : name;
  if (file === name && !/\.[mc]?[jt]s$/.test(name)) {
    throw new KindlingError(
      "BadUsage",
      `There is no workload ${name}: built in are forecast, string-count and pi; or name a .ts file`,
    );
  }
  await runFile(`run ${name}`, file, name, rest);
}

/** Runs a workload's file for a command that is called `command` in its help. */
export async function runFile(command: string, file: string, name: string, argv: readonly string[]): Promise<void> {
  const bundle = await bundleWorkload(file);
  const workload = await loadWorkload(bundle.code, name);
  const options = schemaOptions(toJSONSchema(workload.params, { io: "input", unrepresentable: "any" }) as Value);
  const { engine, rest } = takeEngine(
    argv,
    options.some(({ flag }) => flag === "engine"),
  );
  const parsed = parseOptions(rest, OWN, options);
  const own = parsed.own as Own;
  if (own.help) {
    process.stdout.write(usage(command, options));
    return;
  }
  const executor = executorOf(own, engine);
  const shuffle = SHUFFLE_MODES.find((mode) => mode === (own.shuffle ?? "auto"));
  if (shuffle === undefined) {
    throw new KindlingError("BadUsage", `--shuffle takes auto, peer or relay, not ${JSON.stringify(own.shuffle)}`);
  }
  const params = withOutputs(parsed.params, own, options);
  for (const { param, property } of options) {
    const given = params[param];
    if (property.kindling === "file" && given !== undefined) {
      params[param] = await inputFiles(given, property.multiple === true);
    }
  }
  checkParams(workload.name, workload.params, params, flagOf);
  const named = new Map(own["model-out"] ? [["model", own["model-out"]]] : []);
  const outFiles = new OutFiles(own.out ?? null, named, own.report ?? null);
  await outFiles.check();

  const spark = executor === "spark" ? sparkRequest(own, engine) : undefined;
  if (engine !== undefined) checkEngine(engine, workload.name, params);
  const run: Run = { workload: workload.name, bundle, params, options, shuffle, spark, own, outFiles };
  if (spark !== undefined && own.print) {
    checkPrintable(engine, params);
    process.stdout.write(await printSpark(sparkOptions(run, spark)));
    return;
  }
  const start = (withFiles: Record<string, Value>) => STARTS[executor]({ ...run, params: withFiles });
  const job = await withTuples(engine, params, start).catch(async (error: unknown) => {
    await outFiles.abandon();
    throw error;
  });
  if (own.report !== undefined) await writeReport(own.report, job, outFiles.reportData());
  const summary = summarize(job, executor, (artifact) => outFiles.pathOf(artifact));
  print(engine === undefined ? summary : { ...summary, backend: engine }, own.json ?? false);
}

/** Where it runs. Throws `BadUsage` for options that another executor would have. */
function executorOf(own: Own, engine: SparkEngine | undefined): Executor {
  const executor = EXECUTORS.find((known) => known === (own.executor ?? (own.on === undefined ? "local" : "fabric")));
  if (executor === undefined) {
    throw new KindlingError("BadUsage", `--executor takes local, fabric or spark, not ${JSON.stringify(own.executor)}`);
  }
  if (executor !== "spark") refuseSparkOptions(own, engine);
  return executor;
}

const slotsOf = ({ slots }: Own): number =>
  slots === undefined ? availableParallelism() : wholeNumber(slots, "slots", 1, 1024);

/** The parameters that follow from where results are to go: the formats of the result and the model, and whether a report is wanted. */
function withOutputs(params: Record<string, Value>, own: Own, options: readonly SchemaOption[]): Record<string, Value> {
  const has = (param: string): boolean => options.some((option) => option.param === param);
  const byEnding = (param: string, file: string | undefined): Record<string, Value> => {
    const ending = extname(file ?? "").slice(1);
    const known = options.find((option) => option.param === param)?.property.enum ?? [];
    return params[param] === undefined && known.includes(ending) ? { [param]: ending } : {};
  };
  const memory =
    own.memory !== undefined && has("taskMemory") && params["taskMemory"] === undefined
      ? { taskMemory: Math.floor(parseBytes(own.memory, "memory") / slotsOf(own)) }
      : {};
  const format = { ...memory, ...byEnding("modelFormat", own["model-out"]), ...byEnding("output", own.out) };
  if (own.report === undefined) return { ...params, ...format };
  if (!has("reportData")) throw new KindlingError("BadUsage", "--report: this workload makes no report");
  return { ...params, ...format, reportData: true };
}

/** Writes the page that shows a job; its data came as an artifact. */
async function writeReport(path: string, job: JobView, data: string | null): Promise<void> {
  if (data === null) throw new KindlingError("NoArtifact", `${path}: the workload has made no report`);
  await writeWhole(path, [new TextEncoder().encode(reportPage(job, parseReport(data)))]);
}

interface Run {
  readonly workload: string;
  readonly bundle: Bundle;
  readonly params: Record<string, Value>;
  readonly options: readonly SchemaOption[];
  readonly shuffle: ShuffleMode;
  /** For executor spark alone. */
  readonly spark: SparkRequest | undefined;
  readonly own: Own;
  readonly outFiles: OutFiles;
}

const STARTS: Record<Executor, (run: Run) => Promise<JobView>> = {
  local: runLocal,
  fabric: runRemote,
  spark: async (run) => {
    const { submit = "", yes = false } = run.own;
    if (submit.startsWith("emr-serverless:")) {
      await confirm(`This starts a job run on ${submit}; AWS bills its workers while they run.`, yes);
    }
    if (run.own.on !== undefined || run.spark === undefined) return runRemote(run);
    return runSpark(sparkOptions(run, run.spark));
  },
};

function sparkOptions(
  { workload, bundle, params, options, own, outFiles }: Run,
  target: SparkRequest,
): SparkRunOptions {
  const files = options.flatMap(({ param, property }) =>
    property.kindling === "file" && params[param] !== undefined ? ([params[param]].flat() as string[]) : [],
  );
  return {
    ...{ workload, bundle, params, files, outFiles },
    target,
    dataDir: own["data-dir"] ?? DEFAULT_DATA_DIR,
    verbose: own.verbose ?? false,
  };
}

async function runLocal({ workload, bundle: { code }, params, own, outFiles }: Run): Promise<JobView> {
  const executor = await startLocal({
    slots: slotsOf(own),
    memoryBytes: own.memory === undefined ? Math.floor(totalmem() / 2) : parseBytes(own.memory, "memory"),
    outFiles,
    verbose: own.verbose ?? false,
  });
  let stopProgress = (): void => undefined;
  let stopWaiting = (): void => undefined;
  try {
    const bundle = await executor.addBundle(code);
    const id = await executor.jobs.submit({ workload, bundle, params });
    stopProgress = showProgress(() => executor.jobs.get(id));
    stopWaiting = onInterrupt(() => void executor.jobs.cancel(id).catch(() => undefined));
    await executor.jobs.ended(id);
    const job = succeeded(executor.jobs.get(id));
    await outFiles.publish();
    return job;
  } finally {
    stopWaiting();
    stopProgress();
    await executor.stop();
  }
}

async function runRemote(run: Run): Promise<JobView> {
  const {
    workload,
    bundle: { code },
    params,
    options,
    shuffle,
    spark,
    own,
    outFiles,
  } = run;
  const client = await connectTo({
    on: own.on ?? DEFAULT_URL,
    token: own.token,
    dataDir: own["data-dir"] ?? DEFAULT_DATA_DIR,
  });
  const { hash } = await client.uploadFile(code);
  const sent: Record<string, Value> = { ...params };
  for (const { param, property } of options) {
    const given = params[param];
    if (property.kindling !== "file" || given === undefined) continue;
    const uploaded: string[] = [];
    for (const file of [given].flat() as string[]) uploaded.push(await uploadFile(client, file));
    sent[param] = Array.isArray(given) ? uploaded : (uploaded[0] ?? "");
  }
  const target = spark === undefined ? {} : { spark };
  const id = await client.submit({ workload, bundle: blobHash(hash), params: sent, shuffle, ...target });
  const interrupt = new AbortController();
  const stopWaiting = onInterrupt(() => interrupt.abort());
  let latest: JobView | undefined;
  const stopProgress = showProgress(() => latest);
  try {
    const ended = await followJob(client, jobId(id), {
      clock: systemClock,
      signal: interrupt.signal,
      seen: (job) => {
        latest = job;
      },
      warn: (line) => process.stderr.write(`${line}\n`),
    });
    const job = succeeded(ended);
    for (const artifact of job.artifacts) await download(client, id, artifact, outFiles, interrupt.signal);
    await outFiles.publish();
    return job;
  } finally {
    stopWaiting();
    stopProgress();
  }
}

function succeeded(job: JobView | undefined): JobView {
  if (!job) throw new KindlingError("NotFound", "The job is not known any more");
  if (job.state === "succeeded") return job;
  throw new KindlingError(job.error?.code ?? "JobFailed", job.error?.message ?? `The job has ${job.state}`);
}

function print(summary: RunSummary, json: boolean): void {
  process.stdout.write(`${json ? toJson(summary) : printable(summary)}\n`);
}

function usage(command: string, options: readonly SchemaOption[]): string {
  const rows = Object.entries<OwnOption>(OWN).map(
    ([flag, { help, value }]) => [`--${flag}${value ? ` ${value}` : ""}`, help] as const,
  );
  const workload = options.length > 0 ? `\nParameters:\n${describeOptions(options)}\n` : "";
  return `Usage: kindling ${command} [options]\n\nOptions:\n${aligned([...rows, ENGINE_HELP])}\n${workload}`;
}
