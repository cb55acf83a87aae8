import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { toJSONSchema } from "zod";
import type { BlobHash, JobId } from "../../../shared/ids.ts";
import type { SparkRequest } from "../../../shared/protocol/submit-request.ts";
import type { Workload } from "../../../shared/sdk/workload.ts";
import type { Value } from "../../../shared/value.ts";
import type { Log } from "../../observe/log.ts";
import type { OpenFile } from "../fabric/source.ts";
import { prepareSpark, type SparkRun, startSpark } from "./run.ts";
import type { SparkStatus } from "./status.ts";

export interface SparkJobsOptions {
  /** Where runs, event logs and outputs of applications are kept. */
  readonly folder: string;
  /** Opens what a job's parameters name, by this coordinator's rules, and tells where files lie. */
  readonly openFile: OpenFile;
  readonly log: Log;
}

/** A job as the coordinator hands it over. */
export interface CoordinatorSparkJob {
  readonly id: JobId;
  readonly workload: Workload;
  readonly bundle: { readonly code: Uint8Array; readonly hash: BlobHash };
  readonly params: Value;
  readonly target: SparkRequest;
}

interface LiveRun {
  status: SparkStatus | null;
  run: SparkRun | null;
  isCancelled: boolean;
}

/** The coordinator's jobs on Spark: applications under way, and how they stand. */
export class SparkJobs {
  readonly #options: SparkJobsOptions;
  readonly #live = new Map<JobId, LiveRun>();

  constructor(options: SparkJobsOptions) {
    this.#options = options;
  }

  /** Deletes what earlier lives left of their runs. Applications of spark-submit end themselves, those of remote clusters go on. */
  async clear(): Promise<void> {
    await rm(join(this.#options.folder, "runs"), { recursive: true, force: true });
  }

  /**
   * Runs a job to its end and gives its last status. `keep` takes each result file while it is there, in their order. Rejects with the
   * job's error, with `Cancelled` after `cancel`, and with what is missing where Spark cannot be had.
   */
  async run(
    job: CoordinatorSparkJob,
    keep: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<SparkStatus> {
    const { folder, log } = this.#options;
    const { id, target } = job;
    const live: LiveRun = { status: null, run: null, isCancelled: false };
    this.#live.set(id, live);
    const runFolder = join(folder, "runs", id);
    const opened: (() => Promise<void>)[] = [];
    try {
      await mkdir(runFolder, { recursive: true, mode: 0o700 });
      const inputs = await this.#locate(job, opened);
      const prepared = await prepareSpark({ ...job, workload: job.workload.name, inputs }, target, {
        run: runFolder,
        spark: folder,
      });
      log.info(`handed to Spark (${target.submit}, ${target.master})`, id);
      live.run = await startSpark(prepared, {
        status: (status) => {
          if (live.status === null) log.info(`runs on ${status.spark} as application ${status.application}`, id);
          live.status = status;
        },
        log: (level, line) => log[level](line, id),
      });
      if (live.isCancelled) await live.run.cancel();
      const status = await live.run.ended;
      for (const { name, file } of status.artifacts) await keep(name, createReadStream(join(live.run.out, file)));
      return status;
    } finally {
      for (const close of opened) await close();
      await rm(runFolder, { recursive: true, force: true });
    }
  }

  /** The job has ended, and how it went is kept elsewhere. */
  forget(id: JobId): void {
    this.#live.delete(id);
  }

  /** The newest that is known of a job; null before Spark has started. */
  status(id: JobId): SparkStatus | null {
    return this.#live.get(id)?.status ?? null;
  }

  /** Ends a job's application; resolves when it is gone. */
  async cancel(id: JobId): Promise<void> {
    const live = this.#live.get(id);
    if (live === undefined) return;
    live.isCancelled = true;
    await live.run?.cancel();
  }

  /** Ends all applications; one that cannot be ended was told in its job's log. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#live.keys()].map((id) => this.cancel(id)));
  }

  /** Where the files that the parameters name lie, by name. What the web or S3 has, tasks read themselves. */
  async #locate(
    { workload, params }: CoordinatorSparkJob,
    opened: (() => Promise<void>)[],
  ): Promise<Map<string, string>> {
    const inputs = new Map<string, string>();
    for (const file of filesOf(workload, params)) {
      const source = await this.#options.openFile(file);
      if (source.close !== undefined) opened.push(() => source.close?.() ?? Promise.resolve());
      if (source.path !== null) inputs.set(file, source.path);
    }
    return inputs;
  }
}

/** The values of a workload's `file()` and `files()` parameters. */
function filesOf(workload: Workload, params: Value): string[] {
  const schema = toJSONSchema(workload.params, { io: "input", unrepresentable: "any" });
  const given = (params ?? {}) as Readonly<Record<string, Value>>;
  return Object.entries(schema.properties ?? {}).flatMap(([param, property]) => {
    const isFile = typeof property === "object" && property["kindling"] === "file";
    return isFile && given[param] !== undefined ? ([given[param]].flat() as string[]) : [];
  });
}
