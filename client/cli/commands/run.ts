import { toJSONSchema } from "zod";
import {
  builtinPath,
  bundleWorkload,
  checkEngine,
  checkParams,
  isBuiltin,
  loadWorkload,
} from "../../../coordinator/index.ts";
import { KindlingError } from "../../../shared/errors.ts";
import type { JobView } from "../../../shared/protocol/api.ts";
import { SHUFFLE_MODES } from "../../../shared/protocol/shuffle.ts";
import type { Value } from "../../../shared/value.ts";
import { parseReport } from "../../../workloads/forecast/html-report/data.ts";
import { reportPage } from "../../../workloads/forecast/html-report/page.ts";
import { restartLean } from "../../headless/lean.ts";
import { parseBytes } from "../bytes.ts";
import { RUN_ON, type Run, sparkOptions } from "../executors.ts";
import { filesOf, inputFiles } from "../input-files.ts";
import { OutFiles } from "../out-files.ts";
import { writeWhole } from "../part-file.ts";
import { executorOf, RUN_OPTIONS, type RunOptions, usage, withOutputs, withWorkers } from "../run-options.ts";
import { flagOf, parseOptions, schemaOptions } from "../schema-options.ts";
import { printSpark } from "../spark.ts";
import { checkPrintable, takeEngine, withTuples } from "../spark-engine.ts";
import { sparkRequest } from "../spark-options.ts";
import { printable, summarize, toJson } from "../summary.ts";

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
  const parsed = parseOptions(rest, RUN_OPTIONS, options);
  const own = parsed.own as RunOptions;
  if (own.help) {
    process.stdout.write(usage(command, options));
    return;
  }
  const executor = executorOf(own, engine);
  // Before anything is read.
  if (executor === "local" && own.memory !== undefined) restartLean(parseBytes(own.memory, "memory"));
  const shuffle = SHUFFLE_MODES.find((mode) => mode === (own.shuffle ?? "auto"));
  if (shuffle === undefined) {
    throw new KindlingError("BadUsage", `--shuffle takes auto, peer or relay, not ${JSON.stringify(own.shuffle)}`);
  }
  const given = executor === "local" ? withWorkers(parsed.params, own, options) : parsed.params;
  const params = withOutputs(given, own, options);
  for (const { param, property } of options) {
    const names = params[param];
    if (property.kindling === "file" && names !== undefined) {
      params[param] = await inputFiles(names, property.multiple === true);
    }
  }
  const checked = checkParams(workload.name, workload.params, params, flagOf);
  const lack = own["model-out"] === undefined ? undefined : workload.lacks?.(checked, "model");
  if (lack !== undefined) throw new KindlingError("BadUsage", `--model-out: ${lack}`);
  const named = new Map(own["model-out"] ? [["model", own["model-out"]]] : []);
  const outFiles = new OutFiles(own.out ?? null, named, own.report ?? null);
  await outFiles.check(filesOf(params, options));

  const spark = executor === "spark" ? sparkRequest(own, engine) : undefined;
  if (engine !== undefined) checkEngine(engine, workload.name, params);
  const run: Run = { workload: workload.name, bundle, params, options, shuffle, spark, own, outFiles };
  if (spark !== undefined && own.print) {
    checkPrintable(engine, params);
    process.stdout.write(await printSpark(sparkOptions(run, spark)));
    return;
  }
  const start = (withFiles: Record<string, Value>) => RUN_ON[executor]({ ...run, params: withFiles });
  const job = await withTuples(engine, params, start).catch(async (error: unknown) => {
    await outFiles.abandon();
    throw error;
  });
  if (own.report !== undefined) await writeReport(own.report, job, outFiles.reportData());
  const summary = summarize(job, executor, (artifact) => outFiles.pathOf(artifact));
  const stream = outFiles.takesStdout ? process.stderr : process.stdout;
  const shown = engine === undefined ? summary : { ...summary, backend: engine };
  stream.write(`${own.json ? toJson(shown) : printable(shown)}\n`);
}

/** Writes the page that shows a job; its data came as an artifact. */
async function writeReport(path: string, job: JobView, data: string | null): Promise<void> {
  if (data === null) throw new KindlingError("NoArtifact", `${path}: the workload has made no report`);
  await writeWhole(path, [new TextEncoder().encode(reportPage(job, parseReport(data)))]);
}
