import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BlobHash, JobId } from "../../../shared/ids.ts";
import { plainJson } from "../../../shared/plain-json.ts";
import type { SparkRequest } from "../../../shared/protocol/submit-request.ts";
import type { Value } from "../../../shared/value.ts";
import { buildPrograms, PYTHON } from "./programs.ts";
import type { SparkApplication } from "./submit.ts";

/** Bytes that one task may use, unless a workload's own limit is lower. */
const TASK_MEMORY_BYTES = 1024 ** 3;

/** A job to run on Spark. */
export interface SparkJob {
  readonly id: JobId;
  readonly workload: string;
  readonly bundle: { readonly code: Uint8Array; readonly hash: BlobHash };
  readonly params: Value;
  /** Where input files of this machine lie, by the name that the parameters have for them. */
  readonly inputs: ReadonlyMap<string, string>;
}

/** Writes all that a job's application consists of into `folder`. */
export async function writeApplication(
  job: SparkJob,
  { conf, engine }: Pick<SparkRequest, "conf" | "engine">,
  folder: string,
): Promise<SparkApplication> {
  const { id, workload, bundle, params, inputs } = job;
  const out = join(folder, "out");
  await mkdir(out, { recursive: true, mode: 0o700 });
  const programs = engine === undefined ? await buildPrograms(folder) : [];
  const bundleFile = `bundle-${bundle.hash.slice(0, 16)}.mjs`;
  const jobFile = {
    ...{ job: id, workload, bundle: bundle.hash, bundleFile, params, engine },
    ...{ unit: engine === "mllib" ? "trees" : "tuples", memoryBytes: TASK_MEMORY_BYTES },
  };
  const files = {
    "job.json": JSON.stringify(jobFile, plainJson),
    ...(engine === undefined ? { [bundleFile]: bundle.code } : {}),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 });
  return {
    job: id,
    name: `Kindling: ${workload} (${id})`,
    main: engine === undefined ? PYTHON.bridge : PYTHON.native,
    pyFiles: PYTHON.modules,
    files: [...programs, ...Object.keys(files).map((name) => join(folder, name))],
    inputs,
    conf: {
      "spark.ui.showConsoleProgress": "false",
      // Outputs come to the driver in pieces of 32 MiB; one larger output must come all the same.
      "spark.driver.maxResultSize": "0",
      ...conf,
    },
    out,
  };
}
