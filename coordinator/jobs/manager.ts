import { randomBytes } from "node:crypto";
import { KindlingError } from "../../shared/errors.ts";
import { type BlobHash, blobHash, type JobId, jobId, taskKey } from "../../shared/ids.ts";
import type { JobView, LogLine, NodeView, Overview, WorkloadView } from "../../shared/protocol/api.ts";
import type { SparkRequest, SubmitRequest } from "../../shared/protocol/submit-request.ts";
import type { Workload } from "../../shared/sdk/workload.ts";
import type { Value } from "../../shared/value.ts";
import type { SparkJobs } from "../executors/spark/spark-jobs.ts";
import { sparkView } from "../executors/spark/view.ts";
import type { Fabric } from "../executors/fabric/fabric.ts";
import type { JobService } from "../net/services.ts";
import type { JobLog } from "../observe/log.ts";
import { jobView, type LiveFields, nodeView, type Outcome, throughput } from "../observe/view.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { JobRecord, Journal } from "../store/journal.ts";
import type { ArtifactStore } from "./artifacts.ts";
import { WorkloadCatalog } from "./catalog.ts";
import type { Artifact, JobResult } from "../../shared/sdk/job.ts";
import { checkEngine } from "../executors/spark/engine.ts";
import { checkTarget } from "../executors/spark/run.ts";
import { createReplayingJob } from "./replay.ts";
import { checkedResult, driverError } from "./result.ts";
import { artifactHashes, expired, hashesOf } from "./retention.ts";
import { parseParams } from "./workload.ts";

/** The newest jobs that an overview shows, beside all that run. */
const SHOWN_JOBS = 100;

export interface JobManagerOptions {
  readonly version: string;
  readonly fabric: Fabric;
  /** Runs jobs that are for Spark; null where there is no place for them. */
  readonly spark: SparkJobs | null;
  readonly journal: Journal;
  readonly blobs: BlobStore;
  readonly artifacts: ArtifactStore;
  readonly log: JobLog;
  /** Names of the built-in workloads. */
  readonly builtins: readonly string[];
  /** The link that invites nodes, for operators; undefined where there is none (yet). */
  readonly joinLink: () => string | undefined;
}

export const newJobId = (): JobId => jobId(`j-${randomBytes(5).toString("hex")}`);

/** The life of jobs: submitted, driven, recovered after a crash, ended, shown. */
export class JobManager implements JobService {
  readonly #options: JobManagerOptions;
  readonly #catalog: WorkloadCatalog;
  readonly #records = new Map<JobId, JobRecord>();
  /** Drivers under way; a promise never rejects. */
  readonly #driving = new Map<JobId, Promise<void>>();
  /** Monotonic ms at which each job under way began. */
  readonly #began = new Map<JobId, number>();
  /** Result files that jobs under way have made so far. */
  readonly #made = new Map<JobId, string[]>();
  #views: readonly WorkloadView[] = [];
  #closed = false;

  constructor(options: JobManagerOptions) {
    this.#options = options;
    this.#catalog = new WorkloadCatalog(options.builtins, options.blobs);
  }

  /**
   * Loads the built-in workloads and takes up what an earlier life left under way. Resolves when each such job waits for nodes (or has
   * ended): only then may nodes join, so that what they still hold and run finds its stages.
   */
  async start(): Promise<void> {
    this.#views = await this.#catalog.views();
    for (const record of this.#options.journal.jobs()) this.#records.set(record.id, record);
    const open = [...this.#records.values()].filter(({ status }) => status === "running");
    await Promise.all(
      open.map(async (record) => {
        this.#options.log.info(`taken up again after a restart`, record.id);
        this.#drive(record, performance.now() - Math.max(0, Date.now() - record.createdAt));
        await Promise.race([this.#driving.get(record.id), this.#options.fabric.waitsForNodes(record.id)]);
      }),
    );
  }

  async submit(request: SubmitRequest): Promise<JobId> {
    const { hash, workload } = request.bundle
      ? await this.#catalog.load(blobHash(request.bundle), request.workload)
      : await this.#catalog.named(request.workload);
    parseParams(workload, request.params);
    if (request.spark !== undefined) {
      checkTarget(request.spark);
      if (request.spark.engine !== undefined)
        checkEngine(request.spark.engine, workload.name, request.params as Record<string, Value>);
    }
    const shuffle = request.shuffle === undefined ? {} : { shuffle: request.shuffle };
    const spark = request.spark === undefined ? {} : { spark: request.spark };
    return this.#create({
      workload: workload.name,
      bundle: hash,
      params: request.params as Value,
      ...shuffle,
      ...spark,
    });
  }

  async rerun(id: JobId): Promise<JobId> {
    return this.#create(this.#record(id).spec);
  }

  async cancel(id: JobId): Promise<void> {
    const record = this.#record(id);
    if (record.status !== "running") throw new KindlingError("Conflict", `${id} has ${record.status} already`);
    this.#options.log.info(`${record.spec.workload} cancelled`, id);
    const written = this.#end(record, "cancelled", { error: { code: "Cancelled", message: "The job was cancelled" } });
    // At once, also while the disk is full: nobody wants what is under way.
    this.#options.fabric.end(id, "cancelled");
    await Promise.all([written, this.#options.spark?.cancel(id)]);
  }

  get(id: JobId): JobView | undefined {
    const record = this.#records.get(id);
    return record && jobView(record, () => this.#live(record));
  }

  logs(id: JobId, after: number): readonly LogLine[] {
    return this.#options.log.lines(this.#record(id).id, after);
  }

  workloads(): readonly WorkloadView[] {
    return this.#views;
  }

  overview(): Overview {
    const jobs = [...this.#records.values()]
      .reverse()
      .filter(({ status }, index) => index < SHOWN_JOBS || status === "running")
      .map((record) => jobView(record, () => this.#live(record)));
    const nodes: NodeView[] = [...this.#options.fabric.nodes.values()].map((session) =>
      nodeView(session, this.#options.fabric.owes(session.id)),
    );
    const joinLink = this.#options.joinLink();
    return {
      version: this.#options.version,
      now: Date.now(),
      jobs,
      nodes,
      throughput: throughput(jobs),
      ...(joinLink === undefined ? {} : { joinLink }),
    };
  }

  story(id: JobId, ordinal: number, partition: number): readonly string[] | undefined {
    return this.#options.fabric.story(taskKey(id, ordinal, partition));
  }

  artifact(id: JobId, name: string): ReturnType<JobService["artifact"]> {
    const artifact = this.get(id)?.artifacts.find((candidate) => candidate.name === name);
    if (!artifact) return undefined;
    const { bytes } = artifact;
    return { bytes, content: this.#options.blobs.read(blobHash(artifact.sha256), 0, bytes) };
  }

  /** Resolves when the job has ended, with its record. */
  async ended(id: JobId): Promise<JobRecord> {
    await this.#driving.get(id);
    return this.#record(id);
  }

  /** Drivers under way are left as they are, to go on in the next life: nothing of them is written any more. */
  close(): void {
    this.#closed = true;
  }

  async #create(spec: JobRecord["spec"]): Promise<JobId> {
    const { journal, log } = this.#options;
    const id = newJobId();
    const record: JobRecord = { id, spec, status: "running", createdAt: Date.now(), endedAt: null, outcome: null };
    try {
      journal.putJob(record);
      await journal.sync();
    } catch (error) {
      // The journal would write it later by itself, and a restart would run what was refused here.
      journal.deleteJob(id);
      if (error instanceof KindlingError) throw error;
      throw new KindlingError("BadParams", `The parameters cannot be kept: ${String(error)}`, { cause: error });
    }
    this.#records.set(id, record);
    log.info(`${spec.workload} started`, id);
    this.#drive(record, performance.now());
    return id;
  }

  #drive(record: JobRecord, began: number): void {
    const { fabric, journal } = this.#options;
    const recovered = journal.outputs(record.id);
    // Earlier jobs first.
    const { bundle, shuffle, spark } = record.spec;
    if (!spark) fabric.begin({ id: record.id, bundle, priority: -record.createdAt, shuffle }, recovered);
    this.#began.set(record.id, began);
    const driving = this.#run(record).finally(() => {
      this.#driving.delete(record.id);
      this.#began.delete(record.id);
      this.#made.delete(record.id);
      this.#options.spark?.forget(record.id);
    });
    this.#driving.set(record.id, driving);
  }

  async #run(record: JobRecord): Promise<void> {
    const { id, spec } = record;
    const { fabric, log } = this.#options;
    const isOver = (): boolean => this.#closed || this.#records.get(id)?.status !== "running";
    try {
      const { workload } = await this.#catalog.load(blobHash(spec.bundle), spec.workload);
      const result = spec.spark
        ? await this.#onSpark(record, workload, spec.spark)
        : await this.#onNodes(record, workload);
      if (isOver()) return;
      log.info(`${spec.workload} succeeded`, id);
      await this.#end(record, "succeeded", result);
      fabric.end(id, "done");
    } catch (thrown) {
      if (isOver()) return;
      const error = driverError(spec.workload, thrown);
      log.error(`${spec.workload} failed: ${error.message}`, id);
      await this.#end(record, "failed", { error });
      fabric.end(id, "failed");
    }
  }

  async #onNodes({ id, spec }: JobRecord, workload: Workload): Promise<JobResult> {
    const { fabric } = this.#options;
    const job = createReplayingJob(id, workload, fabric, this.#patientJournal(id), this.#patientArtifacts(id));
    return checkedResult(spec.workload, await workload.drive(job, parseParams(workload, spec.params)));
  }

  /** The whole job is one application: after a restart it begins anew. */
  async #onSpark({ id, spec }: JobRecord, workload: Workload, target: SparkRequest): Promise<JobResult> {
    const { spark, blobs } = this.#options;
    if (spark === null) throw new KindlingError("BadRequest", "This coordinator hands no jobs to Spark");
    const hash = blobHash(spec.bundle);
    const made: Artifact[] = [];
    const bundle = { code: await blobs.get(hash), hash };
    const { metrics } = await spark.run(
      { id, workload, bundle, params: spec.params, target },
      async (name, content) => {
        const stored = await blobs.put(content);
        made.push({ name, bytes: stored.bytes, sha256: stored.hash });
        this.#made.set(
          id,
          made.map(({ sha256 }) => sha256),
        );
      },
    );
    return { metrics: metrics as JobResult["metrics"], artifacts: made };
  }

  /** Writes a job's end, and drops what only its replay needed. Resolves when that is on disk, or the coordinator stops. */
  async #end(
    record: JobRecord,
    status: JobRecord["status"],
    result: Pick<Outcome, "metrics" | "artifacts" | "error">,
  ): Promise<void> {
    const { journal, fabric, blobs, log } = this.#options;
    const outcome = { ...this.#live(record), ...result } as unknown as Value;
    const ended: JobRecord = { ...record, status, endedAt: Date.now(), outcome };
    this.#records.set(record.id, ended);
    journal.deleteJob(record.id);
    journal.putJob(ended);
    const files = this.#forgetExpired();
    try {
      await fabric.patiently(null, () => journal.sync());
      await Promise.all(files.map((hash) => blobs.delete(hash)));
    } catch (error) {
      log.warn(`its end could not be written: ${String(error)}`, record.id);
    }
  }

  /** Gives the result files that no job names any more. */
  #forgetExpired(): BlobHash[] {
    const gone = expired(this.#records.values());
    for (const { id } of gone) {
      this.#records.delete(id);
      this.#options.journal.deleteJob(id);
      this.#options.log.forget(id);
    }
    if (gone.length === 0) return [];
    const kept = new Set([...[...this.#records.values()].flatMap(hashesOf), ...[...this.#made.values()].flat()]);
    return [...new Set(gone.flatMap(artifactHashes))].filter((hash) => !kept.has(hash)).map(blobHash);
  }

  /** A full disk makes a driver wait, and does not fail its job. */
  #patientJournal(id: JobId): Pick<Journal, "entries" | "putEntry" | "sync"> {
    const { fabric, journal } = this.#options;
    return {
      entries: (job) => journal.entries(job),
      putEntry: (job, ordinal, entry) => {
        if (this.#records.get(job)?.status === "running") journal.putEntry(job, ordinal, entry);
      },
      sync: () => fabric.patiently(id, () => journal.sync()),
    };
  }

  #patientArtifacts(id: JobId): ArtifactStore {
    const { fabric, artifacts } = this.#options;
    return {
      make: async (job, name, parts, load) => {
        const artifact = await fabric.patiently(id, () => artifacts.make(job, name, parts, load));
        this.#made.set(id, [...(this.#made.get(id) ?? []), artifact.sha256]);
        return artifact;
      },
    };
  }

  #record(id: JobId): JobRecord {
    const record = this.#records.get(id);
    if (!record) throw new KindlingError("NotFound", `There is no job ${id}`);
    return record;
  }

  #live({ id, spec, createdAt }: JobRecord): Pick<Outcome, LiveFields> {
    const { fabric, spark } = this.#options;
    if (spec.spark) {
      const status = spark?.status(id) ?? null;
      const { stages, unit, seconds } = status ?? { stages: [], unit: "tasks", seconds: 0 };
      return { stages, shares: [], unit, seconds, spark: sparkView(spec.spark, status) };
    }
    const began = this.#began.get(id);
    return {
      stages: fabric.stages(id),
      shares: fabric.shares(id),
      shuffle: fabric.shuffled(id),
      unit: this.#catalog.known(spec.bundle)?.unit ?? "tasks",
      seconds: (began === undefined ? Date.now() - createdAt : performance.now() - began) / 1000,
    };
  }
}
