import { createHash } from "node:crypto";
import type { Clock } from "../../../shared/clock.ts";
import { fromWireError, KindlingError, type WireError } from "../../../shared/errors.ts";
import {
  type AttemptId,
  type BlobHash,
  blobHash,
  type ChunkKey,
  chunkKey,
  type JobId,
  jobOfTask,
  type NodeId,
  type TaskKey,
  taskKey,
  taskOfAttempt,
  taskOfChunk,
} from "../../../shared/ids.ts";
import type { ChunkRef, Lease, StageSpec, TaskInput, TaskSuccess } from "../../../shared/protocol/messages.ts";
import { decodeValue, encodeValue } from "../../../shared/protocol/value-codec.ts";
import type { Value } from "../../../shared/value.ts";
import type { Log } from "../../observe/log.ts";
import type { SchedulerEffect, SchedulerEvent } from "../../scheduler/events.ts";
import {
  createScheduler,
  holdersOf,
  nodeLoad,
  reduce,
  type SchedulerState,
  stageProgress,
  story,
} from "../../scheduler/index.ts";
import type { BlobStore } from "../../store/blobs.ts";
import type { Journal, OutputRecord } from "../../store/journal.ts";
import type { ChunkName, Executor, OpenedSource, PartitionInput, StageRequest } from "../executor.ts";
import { Acceptance, type PendingOutput } from "./acceptance.ts";
import { ChunkTable } from "./chunks.ts";
import { Delivery } from "./delivery.ts";
import type { OpenFile, ReadableSource } from "./files.ts";
import type { NodeSession } from "./session.ts";
import { RunningStage } from "./stage.ts";

/** Inline bytes that one lease may carry; chunks beyond it are fetched by hash. */
const INLINE_PER_LEASE = 1024 * 1024;

export interface FabricOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly blobs: BlobStore;
  readonly openFile: OpenFile;
  readonly log: Log;
  /** ms that one attempt may run before its worker is killed. */
  readonly taskDeadlineMs: number;
  /** Nodes live in this process: values pass as they are, and nothing is hashed. */
  readonly inProcess: boolean;
}

interface LiveJob {
  readonly bundle: BlobHash;
  readonly priority: number;
  readonly recovered: ReadonlyMap<TaskKey, OutputRecord>;
  readonly sources: Map<number, ReadableSource>;
  readonly stages: Map<number, RunningStage>;
  /** Resolved when a stage needs work that only nodes can do, or the job is over. */
  readonly waits: PromiseWithResolvers<void>;
  /** Finished tasks by node, for "your share". */
  readonly shares: Map<NodeId, { name: string; tasks: number }>;
}

/**
 * The shell around the scheduler: turns what nodes say into events, and effects into messages, journal records and settled
 * stages. One per coordinator; the local executor is the same with a node in its own process.
 */
export class Fabric implements Executor {
  readonly #options: FabricOptions;
  readonly #scheduler: SchedulerState;
  readonly #chunks = new ChunkTable();
  readonly #delivery: Delivery;
  readonly #acceptance: Acceptance;
  readonly #jobs = new Map<JobId, LiveJob>();
  readonly #nodes = new Map<NodeId, NodeSession>();
  /** What attempts reported, until the scheduler decides on it: after a restart it may first wait for the stage. */
  readonly #reported = new Map<AttemptId, { readonly node: NodeId; readonly result: TaskSuccess }>();
  #cancelWake: () => void = () => undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #storageProblem: string | null = null;

  constructor(options: FabricOptions) {
    this.#options = options;
    this.#scheduler = createScheduler({
      epochBase: options.journal.incarnation * 10_000,
      startedAt: options.clock.now(),
    });
    this.#delivery = new Delivery(
      this.#chunks,
      {
        of: (key) => holdersOf(this.#scheduler, taskOfChunk(key)),
        ask: (node, chunk) => this.#nodes.get(node)?.channel.send({ type: "upload", chunks: [chunk] }),
        missing: (key, node) => this.dispatch({ type: "OutputMissing", task: taskOfChunk(key), node }),
      },
      options.clock,
    );
    this.#acceptance = new Acceptance(options.journal, options.clock, {
      settled: (batch) => this.#settled(batch),
      storageFailed: (reason) => {
        if (this.#storageProblem === null) options.log.error(`Cannot write the journal, accepting nothing: ${reason}`);
        this.#storageProblem = reason;
      },
      storageRecovered: () => {
        this.#storageProblem = null;
        options.log.info("The journal can be written again");
      },
    });
  }

  // ── Executor: what drivers call ──────────────────────────────────────────────────────────────────────────────────

  begin(job: { id: JobId; bundle: string; priority: number }, recovered: readonly OutputRecord[]): void {
    this.#jobs.set(job.id, {
      bundle: blobHash(job.bundle),
      priority: job.priority,
      recovered: new Map(recovered.map((record) => [record.task, record])),
      sources: new Map(),
      stages: new Map(),
      waits: Promise.withResolvers(),
      shares: new Map(),
    });
  }

  waitsForNodes(job: JobId): Promise<void> {
    return this.#jobs.get(job)?.waits.promise ?? Promise.resolve();
  }

  async openSource(job: JobId, ordinal: number, file: string): Promise<OpenedSource> {
    const source = await this.#options.openFile(file);
    this.#live(job).sources.set(ordinal, source);
    return source;
  }

  async keepValue(job: JobId, ordinal: number, value: Value): Promise<void> {
    this.#live(job);
    const task = taskKey(job, ordinal, 0);
    const common = { task, durable: true, summary: undefined, backend: "js", reason: "", runMs: 0 } as const;
    if (this.#options.inProcess) {
      this.#chunks.keepValue(chunkKey(task, 0), value);
      this.#chunks.add({ ...common, chunks: [{ bytes: 0, hash: null }] });
      return;
    }
    const { hash, bytes } = await this.#options.blobs.put(encodeValue(value));
    this.#chunks.add({ ...common, chunks: [{ bytes, hash }] });
    this.#chunks.markStored(hash);
  }

  async runStage(request: StageRequest): Promise<readonly Value[]> {
    const job = this.#live(request.job);
    const now = this.#now();
    const stage = new RunningStage(request, this.#stageSpec(request, job), now);
    job.stages.set(request.ordinal, stage);
    const finished = await this.#recover(request, job, stage);
    this.#options.log.info(
      `${request.job}: stage ${request.ordinal} (${request.label}): ${request.inputs.length} tasks` +
        (finished.length > 0 ? `, ${finished.length} of them done before` : ""),
      request.job,
    );
    const broadcast = request.broadcast && !this.#isKept(request.broadcast) ? [request.broadcast.task] : [];
    this.dispatch({
      type: "StageAdded",
      stage: {
        job: request.job,
        ordinal: request.ordinal,
        dependencies: request.inputs.map((input) => [...broadcast, ...dependenciesOf(input)]),
        finished: finished.map(({ task, chunks, durable }) => ({
          partition: Number(task.slice(task.lastIndexOf("/") + 1)),
          output: { chunks, durable },
        })),
        priority: job.priority,
      },
    });
    if (!stage.ended) job.waits.resolve();
    return stage.finished;
  }

  async load(chunk: ChunkName): Promise<Value> {
    const ref = this.#chunks.ref(chunk.task, chunk.bucket);
    await this.#delivery.bring(ref);
    if (this.#options.inProcess) return this.#chunks.value(ref.key);
    return decodeValue(await this.#bytes(ref));
  }

  end(id: JobId, reason: "done" | "cancelled" | "failed"): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    const error = new KindlingError(reason === "cancelled" ? "Cancelled" : "JobEnded", `${id} was ${reason}`);
    for (const stage of job.stages.values()) if (!stage.ended) stage.fail(error, this.#now());
    this.#delivery.end((key) => jobOfTask(taskOfChunk(key)) === id);
    this.dispatch({ type: "JobEnded", job: id });
    for (const node of this.#nodes.values()) {
      node.channel.send({ type: "forget", job: id });
      node.forget(id);
    }
    const blobs = this.#chunks.drop(id);
    this.#jobs.delete(id);
    job.waits.resolve();
    void Promise.all(blobs.map((hash) => this.#options.blobs.delete(hash))).catch((cause: unknown) => {
      this.#options.log.warn(`${id}: outputs could not be deleted: ${String(cause)}`, id);
    });
  }

  // ── Nodes: what sessions report ──────────────────────────────────────────────────────────────────────────────────

  get nodes(): ReadonlyMap<NodeId, NodeSession> {
    return this.#nodes;
  }

  joined(session: NodeSession): void {
    this.#nodes.set(session.id, session);
    this.dispatch({
      type: "NodeJoined",
      node: session.id,
      slots: session.slots,
      held: session.hello.held,
      running: session.hello.running,
    });
    this.#delivery.holdersChanged();
  }

  lost(node: NodeId, reason: string): void {
    if (!this.#nodes.delete(node)) return;
    for (const [attempt, report] of this.#reported) if (report.node === node) this.#reported.delete(attempt);
    this.dispatch({ type: "NodeLost", node, reason });
    this.#delivery.holdersChanged();
  }

  succeeded(node: NodeId, result: TaskSuccess): void {
    const problem = this.#checkResult(result);
    if (problem !== null) {
      this.failed(node, result.attempt, { code: "BadResult", message: problem, retryable: true });
      return;
    }
    const durable = !this.#options.inProcess && result.chunks.every(({ inline }) => inline !== undefined);
    this.#reported.set(result.attempt, { node, result });
    this.dispatch({
      type: "AttemptSucceeded",
      node,
      attempt: result.attempt,
      output: { chunks: result.chunks, durable },
    });
  }

  failed(node: NodeId, attempt: AttemptId, error: WireError): void {
    const name = this.#nodes.get(node)?.name ?? node;
    this.#options.log.warn(`${attempt} failed on ${name}: ${error.message}`, jobOfTask(taskOfAttempt(attempt)));
    this.dispatch({ type: "AttemptFailed", node, attempt, error });
    this.#nodes.get(node)?.channel.send({ type: "acknowledge", accepted: [], rejected: [attempt] });
  }

  /** A chunk's bytes came as a blob. */
  stored(hash: BlobHash): void {
    this.#chunks.markStored(hash);
    const key = this.#chunks.keyOf(hash);
    if (key !== undefined) this.#arrived(key);
  }

  /** A chunk came as a value, within this process. */
  delivered(key: ChunkKey, value: Value): void {
    this.#chunks.keepValue(key, value);
    this.#arrived(key);
  }

  refused(node: NodeId, keys: readonly ChunkKey[]): void {
    for (const key of keys) if (this.#chunks.record(taskOfChunk(key))) this.#delivery.refused(key, node);
  }

  /** How many attempts a node owes. */
  owes(node: NodeId): number {
    const load = nodeLoad(this.#scheduler, node);
    return load ? load.running + load.queued : 0;
  }

  dispatch(event: SchedulerEvent): void {
    const { effects } = reduce(this.#scheduler, event, this.#now());
    for (const effect of effects) this.#perform(effect);
  }

  // ── Data: what nodes and artifacts read ──────────────────────────────────────────────────────────────────────────

  /** Makes a blob readable in the store, from a holder if need be; false if no live job knows it. */
  async locate(hash: BlobHash): Promise<boolean> {
    const key = this.#chunks.keyOf(hash);
    if (key === undefined) return (await this.#options.blobs.size(hash)) !== null;
    const ref = this.#chunks.ref(taskOfChunk(key), bucketOf(key));
    if (ref.inline) await this.#options.blobs.put(ref.inline, hash);
    await this.#delivery.bring(ref);
    return true;
  }

  /** A value of this process by name: what `locate` is between machines. */
  async locateValue(key: ChunkKey): Promise<Value> {
    await this.#delivery.bring(this.#chunks.ref(taskOfChunk(key), bucketOf(key)));
    return this.#chunks.value(key);
  }

  source(job: JobId, ordinal: number): ReadableSource | undefined {
    return this.#jobs.get(job)?.sources.get(ordinal);
  }

  // ── Views ────────────────────────────────────────────────────────────────────────────────────────────────────────

  get storageProblem(): string | null {
    return this.#storageProblem;
  }

  stages(job: JobId): ReturnType<RunningStage["view"]>[] {
    const now = this.#now();
    const units = new Map<string, number>();
    for (const node of this.#nodes.values()) {
      for (const [attempt, done] of node.units) {
        const stage = stageOf(taskOfAttempt(attempt));
        units.set(stage, (units.get(stage) ?? 0) + done);
      }
    }
    return [...(this.#jobs.get(job)?.stages.values() ?? [])].map((stage) => {
      const { ordinal } = stage.request;
      const progress = stageProgress(this.#scheduler, job, ordinal);
      return stage.view(now, progress?.leased ?? 0, progress?.retries ?? 0, units.get(`${job}/${ordinal}`) ?? 0);
    });
  }

  shares(job: JobId): { node: string; name: string; tasks: number }[] {
    return [...(this.#jobs.get(job)?.shares ?? [])].map(([node, share]) => ({ node, ...share }));
  }

  story(task: TaskKey): readonly string[] | undefined {
    return story(this.#scheduler, task);
  }

  close(): void {
    this.#cancelWake();
    this.#acceptance.close();
  }

  // ── Inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #now(): number {
    return this.#options.clock.now();
  }

  #live(id: JobId): LiveJob {
    const job = this.#jobs.get(id);
    if (!job) throw new KindlingError("Cancelled", `${id} is over`);
    return job;
  }

  #perform(effect: SchedulerEffect): void {
    switch (effect.type) {
      case "Assign": {
        const node = this.#nodes.get(effect.node);
        const leases = effect.assignments.map(({ attempt, task }) => this.#lease(attempt, task));
        node?.assign(leases, (lease) => this.#stage(lease.job, lease.ordinal).spec);
        return;
      }
      case "Revoke":
        this.#nodes.get(effect.node)?.channel.send({ type: "revoke", attempts: [...effect.attempts] });
        return;
      case "Accept":
        this.#accept(effect);
        return;
      case "Reject":
        this.#options.log.debug(`${effect.attempt} of ${effect.node} rejected: ${effect.reason}`);
        this.#reported.delete(effect.attempt);
        this.#nodes.get(effect.node)?.channel.send({ type: "acknowledge", accepted: [], rejected: [effect.attempt] });
        return;
      case "StageDone":
        this.#stage(effect.job, effect.ordinal).complete(this.#now());
        return;
      case "JobFailed": {
        const error = fromWireError(effect.error);
        for (const stage of this.#jobs.get(effect.job)?.stages.values() ?? []) stage.fail(error, this.#now());
        return;
      }
      case "WakeAt":
        this.#wake(effect.time);
        return;
    }
  }

  #wake(time: number): void {
    if (time >= this.#wakeAt) return;
    this.#cancelWake();
    this.#wakeAt = time;
    this.#cancelWake = this.#options.clock.after(Math.max(0, time - this.#now()), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.dispatch({ type: "Tick" });
    });
  }

  #accept({ node, attempt, task, output, repeated }: Extract<SchedulerEffect, { type: "Accept" }>): void {
    const result = this.#reported.get(attempt)?.result;
    if (!result) throw new Error(`${attempt} was accepted but never reported`);
    this.#reported.delete(attempt);
    const { summary, backend, reason, runMs } = result;
    // What was accepted before stays as it is: it may have become durable since.
    const before = repeated ? this.#chunks.record(task) : undefined;
    const record: OutputRecord = before ?? { task, ...output, summary, backend, reason, runMs };
    this.#chunks.add(record);
    if (!repeated) this.#count(node, record, result.units);
    this.#acceptance.add({ record, from: { node, attempt }, awaited: !repeated });
    this.#delivery.holdersChanged();
  }

  #count(node: NodeId, record: OutputRecord, units: number): void {
    const job = this.#live(jobOfTask(record.task));
    job.stages.get(ordinalOf(record.task))?.accept(record, units, false);
    const session = this.#nodes.get(node);
    if (!session) return;
    session.tasksDone++;
    const share = job.shares.get(node) ?? { name: session.name, tasks: 0 };
    share.tasks++;
    job.shares.set(node, share);
  }

  #settled(batch: readonly PendingOutput[]): void {
    const told = new Map<NodeId, AttemptId[]>();
    for (const { record, from, awaited } of batch) {
      if (from) told.set(from.node, [...(told.get(from.node) ?? []), from.attempt]);
      if (awaited) this.#jobs.get(jobOfTask(record.task))?.stages.get(ordinalOf(record.task))?.synced(this.#now());
    }
    for (const [node, accepted] of told) {
      this.#nodes.get(node)?.channel.send({ type: "acknowledge", accepted, rejected: [] });
    }
  }

  #arrived(key: ChunkKey): void {
    const task = taskOfChunk(key);
    const record = this.#chunks.record(task);
    this.#delivery.arrived(key);
    if (!record || record.durable || this.#options.inProcess || !this.#chunks.isWhole(task)) return;
    const durable = { ...record, durable: true };
    this.#chunks.add(durable);
    this.#acceptance.add({ record: durable, from: null, awaited: false });
    this.dispatch({ type: "OutputDurable", task });
  }

  /** Outputs of this stage from an earlier life, as far as their bytes are still to be had. */
  async #recover(request: StageRequest, job: LiveJob, stage: RunningStage): Promise<OutputRecord[]> {
    const found: OutputRecord[] = [];
    for (let partition = 0; partition < request.inputs.length && job.recovered.size > 0; partition++) {
      const record = job.recovered.get(taskKey(request.job, request.ordinal, partition));
      if (!record) continue;
      let durable = record.durable;
      for (const { hash, inline } of record.chunks) {
        if (!durable || inline || hash === null) continue;
        if (await this.#options.blobs.has(hash)) this.#chunks.markStored(hash);
        else durable = false;
      }
      const checked = durable === record.durable ? record : { ...record, durable };
      this.#chunks.add(checked);
      stage.accept(checked, 0, true);
      found.push(checked);
    }
    return found;
  }

  #stage(job: JobId, ordinal: number): RunningStage {
    const stage = this.#jobs.get(job)?.stages.get(ordinal);
    if (!stage) throw new Error(`${job} has no stage ${ordinal}`);
    return stage;
  }

  #stageSpec(request: StageRequest, job: LiveJob): StageSpec {
    return {
      job: request.job,
      ordinal: request.ordinal,
      kind: request.kind,
      bundle: job.bundle,
      task: request.task,
      backend: request.backend,
      buckets: request.buckets,
      broadcast: request.broadcast ? this.#chunks.ref(request.broadcast.task, request.broadcast.bucket) : null,
      sources: [...job.sources].map(([ordinal, { name, bytes, path }]) => ({
        ordinal,
        name,
        bytes,
        ...(this.#options.inProcess && path !== null ? { path } : {}),
      })),
      deadline: this.#options.taskDeadlineMs,
    };
  }

  #lease(attempt: AttemptId, task: TaskKey): Lease {
    const job = jobOfTask(task);
    const ordinal = ordinalOf(task);
    const partition = Number(task.slice(task.lastIndexOf("/") + 1));
    const input = this.#stage(job, ordinal).request.inputs[partition];
    if (!input) throw new Error(`${task} has no input`);
    return { attempt, job, ordinal, partition, input: this.#taskInput(input) };
  }

  #taskInput(input: PartitionInput): TaskInput {
    switch (input.kind) {
      case "value":
        return input;
      case "chunk":
        return { kind: "chunk", chunk: this.#chunks.ref(input.chunk.task, input.chunk.bucket) };
      case "chunks": {
        let inline = 0;
        const chunks = input.chunks.map(({ task, bucket }) => {
          const ref = this.#chunks.ref(task, bucket);
          inline += ref.inline?.byteLength ?? 0;
          if (inline <= INLINE_PER_LEASE) return ref;
          return { key: ref.key, bytes: ref.bytes, hash: ref.hash };
        });
        return { kind: "chunks", chunks };
      }
    }
  }

  #isKept(chunk: ChunkName): boolean {
    const record = this.#chunks.record(chunk.task);
    return record !== undefined && record.durable && this.#chunks.isWhole(chunk.task);
  }

  async #bytes(ref: ChunkRef): Promise<Uint8Array> {
    if (ref.inline) return ref.inline;
    if (ref.hash === null) throw new Error(`${ref.key} has neither bytes nor a hash`);
    return this.#options.blobs.get(ref.hash);
  }

  /** What is wrong with a result's form, or null. */
  #checkResult(result: TaskSuccess): string | null {
    const task = taskOfAttempt(result.attempt);
    const stage = this.#jobs.get(jobOfTask(task))?.stages.get(ordinalOf(task));
    // The scheduler rejects what belongs to nothing.
    if (stage && result.chunks.length !== stage.spec.buckets) {
      return `${task} must have ${stage.spec.buckets} chunks, not ${result.chunks.length}`;
    }
    if (this.#options.inProcess) return null;
    for (const { hash, inline, bytes } of result.chunks) {
      if (hash === null) return `${task} came without hashes`;
      if (inline === undefined) continue;
      if (inline.byteLength !== bytes || createHash("sha256").update(inline).digest("hex") !== hash) {
        return `${task} came with bytes that do not match their hash`;
      }
    }
    return null;
  }
}

const ordinalOf = (task: TaskKey): number => Number(task.split("/")[1]);
const stageOf = (task: TaskKey): string => task.slice(0, task.lastIndexOf("/"));
const bucketOf = (key: ChunkKey): number => Number(key.slice(key.lastIndexOf("/") + 1));

function dependenciesOf(input: PartitionInput): TaskKey[] {
  switch (input.kind) {
    case "value":
      return [];
    case "chunk":
      return [input.chunk.task];
    case "chunks":
      return input.chunks.map(({ task }) => task);
  }
}
