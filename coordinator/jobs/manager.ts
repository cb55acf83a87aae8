import { randomBytes } from "node:crypto";
import { toJSONSchema } from "zod";
import { KindlingError, toWireError } from "../../shared/errors.ts";
import { type BlobHash, blobHash, type JobId, jobId, taskKey } from "../../shared/ids.ts";
import type { JobView, LogLine, NodeView, Overview, WorkloadView } from "../../shared/protocol/api.ts";
import type { SubmitRequest } from "../../shared/protocol/submit-request.ts";
import type { JobResult } from "../../shared/sdk/job.ts";
import type { Workload } from "../../shared/sdk/workload.ts";
import type { Value } from "../../shared/value.ts";
import type { Fabric } from "../executors/fabric/fabric.ts";
import type { JobService } from "../net/services.ts";
import type { JobLog } from "../observe/log.ts";
import { jobView, nodeView, type Outcome, throughput } from "../observe/view.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { JobRecord, Journal } from "../store/journal.ts";
import type { ArtifactStore } from "./artifacts.ts";
import { builtinPath, bundleWorkload } from "./bundle.ts";
import { createReplayingJob } from "./replay.ts";
import { loadWorkload, parseParams } from "./workload.ts";

export interface JobManagerOptions {
  readonly version: string;
  readonly fabric: Fabric;
  readonly journal: Journal;
  readonly blobs: BlobStore;
  readonly artifacts: ArtifactStore;
  readonly log: JobLog;
  /** Names of the built-in workloads. */
  readonly builtins: readonly string[];
  /** The link that invites nodes, for operators; undefined where there is none (yet). */
  readonly joinLink: () => string | undefined;
}

interface Loaded {
  readonly hash: BlobHash;
  readonly workload: Workload;
}

/** The life of jobs: submitted, driven, recovered after a crash, ended, shown. */
export class JobManager implements JobService {
  readonly #options: JobManagerOptions;
  readonly #records = new Map<JobId, JobRecord>();
  /** Drivers under way; a promise never rejects. */
  readonly #driving = new Map<JobId, Promise<void>>();
  readonly #loaded = new Map<BlobHash, Loaded>();
  readonly #builtins = new Map<string, Promise<Loaded>>();
  #views: readonly WorkloadView[] = [];

  constructor(options: JobManagerOptions) {
    this.#options = options;
  }

  /**
   * Loads the built-in workloads and takes up what an earlier life left under way. Resolves when each such job waits for nodes (or has
   * ended): only then may nodes join, so that what they still hold and run finds its stages.
   */
  async start(): Promise<void> {
    const builtins = await Promise.all(this.#options.builtins.map((name) => this.#builtin(name)));
    this.#views = builtins.map(({ workload }) => ({
      name: workload.name,
      description: workload.description ?? "",
      params: toJSONSchema(workload.params, { io: "input", unrepresentable: "any" }) as Value,
    }));
    for (const record of this.#options.journal.jobs()) this.#records.set(record.id, record);
    const open = [...this.#records.values()].filter(({ status }) => status === "running");
    await Promise.all(
      open.map(async (record) => {
        this.#options.log.info(`taken up again after a restart`, record.id);
        this.#drive(record);
        await Promise.race([this.#driving.get(record.id), this.#options.fabric.waitsForNodes(record.id)]);
      }),
    );
  }

  async submit(request: SubmitRequest): Promise<JobId> {
    const { hash, workload } = request.bundle
      ? await this.#load(blobHash(request.bundle), request.workload)
      : await this.#named(request.workload);
    parseParams(workload, request.params);
    return this.#create({ workload: workload.name, bundle: hash, params: request.params as Value });
  }

  async rerun(id: JobId): Promise<JobId> {
    return this.#create(this.#record(id).spec);
  }

  async cancel(id: JobId): Promise<void> {
    const record = this.#record(id);
    if (record.status !== "running") throw new KindlingError("Conflict", `${id} has ${record.status} already`);
    await this.#end(record, "cancelled", {
      stages: [],
      shares: [],
      seconds: 0,
      error: { code: "Cancelled", message: "Cancelled" },
    });
    this.#options.fabric.end(id, "cancelled");
  }

  get(id: JobId): JobView | undefined {
    const record = this.#records.get(id);
    return record && jobView(record, this.#live(id), this.#unit(record));
  }

  logs(id: JobId, after: number): readonly LogLine[] {
    return this.#options.log.lines(this.#record(id).id, after);
  }

  workloads(): readonly WorkloadView[] {
    return this.#views;
  }

  overview(): Overview {
    const jobs = [...this.#records.keys()]
      .reverse()
      .slice(0, 100)
      .map((id) => this.get(id) as JobView);
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

  async #create(spec: JobRecord["spec"]): Promise<JobId> {
    const id = jobId(`j-${randomBytes(5).toString("hex")}`);
    const record: JobRecord = { id, spec, status: "running", createdAt: Date.now(), endedAt: null, outcome: null };
    this.#options.journal.putJob(record);
    await this.#options.journal.sync();
    this.#records.set(id, record);
    this.#options.log.info(`${spec.workload} started`, id);
    this.#drive(record);
    return id;
  }

  #drive(record: JobRecord): void {
    const { fabric, journal } = this.#options;
    const recovered = journal.outputs(record.id);
    // Earlier jobs first.
    fabric.begin({ id: record.id, bundle: record.spec.bundle, priority: -record.createdAt }, recovered);
    const driving = this.#run(record).finally(() => this.#driving.delete(record.id));
    this.#driving.set(record.id, driving);
  }

  async #run(record: JobRecord): Promise<void> {
    const { id, spec } = record;
    const { fabric, journal, artifacts, log } = this.#options;
    const began = performance.now();
    const soFar = () => ({
      stages: fabric.stages(id),
      shares: fabric.shares(id),
      seconds: (performance.now() - began) / 1000,
    });
    try {
      const { workload } = await this.#load(blobHash(spec.bundle), spec.workload);
      const job = createReplayingJob(id, workload, fabric, journal, artifacts);
      const result: JobResult = await workload.drive(job, parseParams(workload, spec.params));
      if (this.#records.get(id)?.status !== "running") return;
      await this.#end(record, "succeeded", { ...result, ...soFar() });
      log.info(`${spec.workload} succeeded`, id);
    } catch (thrown) {
      if (this.#records.get(id)?.status !== "running") return;
      const { code, message } = toWireError(thrown);
      log.error(`${spec.workload} failed: ${message}`, id);
      await this.#end(record, "failed", { ...soFar(), error: { code, message } });
    } finally {
      fabric.end(id, "done");
    }
  }

  async #end(record: JobRecord, status: JobRecord["status"], outcome: Outcome): Promise<void> {
    const ended: JobRecord = { ...record, status, endedAt: Date.now(), outcome: outcome as unknown as Value };
    this.#records.set(record.id, ended);
    this.#options.journal.putJob(ended);
    await this.#options.journal.sync().catch((error: unknown) => {
      this.#options.log.error(`its end could not be written and will be found again: ${String(error)}`, record.id);
    });
  }

  #record(id: JobId): JobRecord {
    const record = this.#records.get(id);
    if (!record) throw new KindlingError("NotFound", `There is no job ${id}`);
    return record;
  }

  #live(id: JobId): Pick<Outcome, "stages" | "shares"> {
    return { stages: this.#options.fabric.stages(id), shares: this.#options.fabric.shares(id) };
  }

  #unit({ spec }: JobRecord): string {
    return this.#loaded.get(spec.bundle as BlobHash)?.workload.unit ?? "tasks";
  }

  #named(name: string): Promise<Loaded> {
    if (!this.#options.builtins.includes(name)) {
      const known = this.#options.builtins.join(", ");
      throw new KindlingError("BadRequest", `There is no workload ${name}; built in are ${known}`);
    }
    return this.#builtin(name);
  }

  /** Bundled once in a coordinator's life. */
  #builtin(name: string): Promise<Loaded> {
    const known = this.#builtins.get(name);
    if (known) return known;
    const loading = (async () => {
      const bundle = await bundleWorkload(builtinPath(name));
      await this.#options.blobs.put(bundle.code, bundle.hash);
      return this.#load(bundle.hash, name);
    })();
    this.#builtins.set(name, loading);
    return loading;
  }

  async #load(hash: BlobHash, origin: string): Promise<Loaded> {
    const known = this.#loaded.get(hash);
    if (known) return known;
    const workload = await loadWorkload(await this.#options.blobs.get(hash), origin);
    const loaded = { hash, workload };
    this.#loaded.set(hash, loaded);
    return loaded;
  }
}
