import { fromWireError, KindlingError, type WireError } from "../../../shared/errors.ts";
import {
  type AttemptId,
  type JobId,
  jobOfTask,
  type NodeId,
  type TaskKey,
  taskKey,
  taskOfAttempt,
  taskOfChunk,
} from "../../../shared/ids.ts";
import type { StageView } from "../../../shared/protocol/api.ts";
import { type ChunkRef, MAX_FRAME_BYTES, type TaskSuccess } from "../../../shared/protocol/messages.ts";
import { NO_SHUFFLE_BYTES, type ShuffleBytes } from "../../../shared/protocol/shuffle.ts";
import type { Value } from "../../../shared/value.ts";
import type { Log } from "../../observe/log.ts";
import type { SchedulerEffect, SchedulerEvent } from "../../scheduler/events.ts";
import { story } from "../../scheduler/story.ts";
import { holdersOf, nodeLoad, stageProgress, takenAlong } from "../../scheduler/views.ts";
import type { OutputRecord } from "../../store/journal.ts";
import type { ChunkName, Executor, OpenedSource, StageRequest } from "../executor.ts";
import type { PendingOutput } from "./acceptance.ts";
import type { OpenFile, ReadableSource } from "./source.ts";
import { Introductions, withHolders } from "./introductions.ts";
import { type JobStart, LiveJob } from "./live-job.ts";
import { SchedulerLoop } from "./loop.ts";
import { Outputs, type OutputsOptions } from "./outputs.ts";
import { Patience } from "./patience.ts";
import type { NodeSession } from "./session.ts";
import { dependenciesOf, leaseOf, ordinalOf, partitionOf, problemOf, sourceSpecs, stageSpec } from "./specs.ts";
import { RunningStage } from "./stage.ts";

export interface FabricOptions extends OutputsOptions {
  readonly openFile: OpenFile;
  readonly log: Log;
  /** ms that one attempt may run before its worker is killed. */
  readonly taskDeadlineMs: number;
}

/** ms that a replay may take before nodes are let in all the same: a driver may wait for anything in `once`. */
const REPLAY_MS = 10_000;

/** In mode `auto` smaller chunks are not worth a connection. */
const SMALL_BYTES = 64 * 1024;
/** Holders that are named for one chunk. */
const MAX_HOLDERS = 8;

const inputTooLarge = (attempt: AttemptId): WireError => ({
  code: "InputTooLarge",
  message: `The input of ${attempt} does not fit into a message of ${MAX_FRAME_BYTES} bytes: broadcast it, or let tasks read or make theirs`,
  retryable: false,
});

/**
 * The shell around the scheduler: turns what drivers and nodes say into events, and effects into messages, journal records and
 * settled stages. One per coordinator; the local executor is the same with a node in its own process.
 */
export class Fabric implements Executor {
  readonly outputs: Outputs;
  readonly introductions: Introductions;
  readonly #options: FabricOptions;
  readonly #loop: SchedulerLoop;
  readonly #patience: Patience;
  readonly #jobs = new Map<JobId, LiveJob>();
  readonly #nodes = new Map<NodeId, NodeSession>();
  /** What attempts reported, until the scheduler decides on it: after a restart it may first wait for the stage. */
  readonly #reported = new Map<AttemptId, { readonly node: NodeId; readonly result: TaskSuccess }>();
  #storageProblem: string | null = null;

  constructor(options: FabricOptions) {
    this.#options = options;
    this.introductions = new Introductions(options.clock);
    this.#loop = new SchedulerLoop({ epochBase: options.journal.incarnation * 10_000 }, options.clock, {
      Assign: (effect) => this.#assign(effect),
      Revoke: ({ node, attempts }) => this.#nodes.get(node)?.channel.send({ type: "revoke", attempts: [...attempts] }),
      Accept: (effect) => this.#accept(effect),
      Reject: (effect) => this.#reject(effect),
      StageDone: ({ job, ordinal }) => this.#stage(job, ordinal).complete(this.#now()),
      JobFailed: ({ job, error }) => this.#fail(job, fromWireError(error)),
    });
    this.#patience = new Patience(options.clock, {
      storageFailed: (reason) => {
        if (this.#storageProblem === null) options.log.error(`Cannot write, accepting nothing: ${reason}`);
        this.#storageProblem = reason;
      },
      storageRecovered: () => {
        this.#storageProblem = null;
        options.log.info("The data directory can be written again");
      },
    });
    this.outputs = new Outputs(options, this.#patience, {
      of: (key) => holdersOf(this.#loop.state, taskOfChunk(key)),
      ask: (node, chunk) => this.#nodes.get(node)?.channel.send({ type: "upload", chunks: [chunk] }),
      missing: (key, node) => this.dispatch({ type: "OutputMissing", task: taskOfChunk(key), node }),
      becameDurable: (task) => this.dispatch({ type: "OutputDurable", task }),
      settled: (batch) => this.#settled(batch),
    });
  }

  // What drivers call.

  begin(job: JobStart, recovered: readonly OutputRecord[]): void {
    this.#jobs.set(job.id, new LiveJob(job, recovered));
  }

  /** Resolves when the job's driver waits for work that nodes must do, when the job is over, or when its replay takes too long. */
  waitsForNodes(id: JobId): Promise<void> {
    const job = this.#jobs.get(id);
    if (!job) return Promise.resolve();
    const cancel = this.#options.clock.after(REPLAY_MS, job.waits.resolve);
    return job.waits.promise.then(cancel);
  }

  /** Writes to the store, and where that is full again until it is done or the job, if it is for one, is over. */
  patiently<T>(job: JobId | null, write: () => Promise<T>): Promise<T> {
    return this.#patience.write(write, () => job === null || this.#jobs.has(job));
  }

  async openSource(job: JobId, ordinal: number, file: string): Promise<OpenedSource> {
    this.#live(job);
    const source = await this.#options.openFile(file);
    if (!this.#jobs.has(job)) await source.close?.();
    this.#live(job).sources.set(ordinal, source);
    return source;
  }

  async keepValue(job: JobId, ordinal: number, value: Value): Promise<void> {
    const live = this.#live(job);
    await this.outputs.keepValue(job, ordinal, value, () => this.#jobs.get(job) === live);
    this.#live(job);
  }

  expect(chunks: readonly ChunkName[]): void {
    void this.outputs.bringAhead(chunks);
  }

  async load(chunk: ChunkName): Promise<Value> {
    const job = this.#live(jobOfTask(chunk.task));
    if (!this.outputs.isHere(chunk)) job.waits.resolve();
    return this.outputs.load(chunk);
  }

  async runStage(request: StageRequest): Promise<readonly Value[]> {
    const job = this.#live(request.job);
    const { inProcess, taskDeadlineMs, log } = this.#options;
    const sources = sourceSpecs(job.sources, inProcess);
    const spec = stageSpec(request, job.bundle, sources, this.outputs.table, taskDeadlineMs, job.shuffle);
    const stage = new RunningStage(request, spec, this.#now());
    job.stages.set(request.ordinal, stage);
    const finished = await this.#recover(request, job, stage);
    if (stage.ended) return stage.finished; // The job ended meanwhile: the scheduler must not hear of it again.
    const before = finished.length > 0 ? `, ${finished.length} of them done before` : "";
    log.info(`stage ${request.ordinal} (${request.label}): ${request.inputs.length} tasks${before}`, request.job);
    const broadcast = request.broadcast && !this.outputs.isKept(request.broadcast) ? [request.broadcast.task] : [];
    this.dispatch({
      type: "StageAdded",
      stage: {
        job: request.job,
        ordinal: request.ordinal,
        dependencies: dependenciesOf(request, broadcast),
        finished: finished.map(({ task, chunks, durable }) => ({
          partition: partitionOf(task),
          output: { chunks, durable },
        })),
        priority: job.priority,
      },
    });
    if (!stage.ended) job.waits.resolve();
    return stage.finished;
  }

  end(id: JobId, reason: "done" | "cancelled" | "failed"): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    this.#fail(id, new KindlingError(reason === "cancelled" ? "Cancelled" : "JobEnded", `${id} is over: ${reason}`));
    this.dispatch({ type: "JobEnded", job: id });
    this.introductions.end(id);
    for (const node of this.#nodes.values()) node.forget(id);
    this.#jobs.delete(id);
    job.waits.resolve();
    for (const source of job.sources.values()) {
      source.close?.().catch((cause: unknown) => {
        this.#options.log.warn(`${source.name} could not be closed: ${String(cause)}`, id);
      });
    }
    this.outputs.end(id, job.recovered.values()).catch((cause: unknown) => {
      this.#options.log.warn(`outputs could not be deleted: ${String(cause)}`, id);
    });
  }

  // What nodes report.

  get nodes(): ReadonlyMap<NodeId, NodeSession> {
    return this.#nodes;
  }

  joined(session: NodeSession): void {
    this.#nodes.set(session.id, session);
    const { held, running } = session.hello;
    this.dispatch({ type: "NodeJoined", node: session.id, slots: session.slots, held, running });
    this.outputs.holdersChanged(session.id);
  }

  lost(node: NodeId, reason: string): void {
    if (!this.#nodes.delete(node)) return;
    for (const [attempt, report] of this.#reported) if (report.node === node) this.#reported.delete(attempt);
    this.dispatch({ type: "NodeLost", node, reason });
    this.outputs.holdersChanged();
  }

  /** Resolves when a node that leaves and owes nothing may go: its results are acknowledged, and what is needed of it is here. */
  async release(node: NodeId): Promise<void> {
    await Promise.all([this.outputs.settled(), this.outputs.keep(takenAlong(this.#loop.state, node))]);
  }

  succeeded(node: NodeId, result: TaskSuccess): void {
    const { attempt, chunks } = result;
    const { inProcess } = this.#options;
    const task = taskOfAttempt(attempt);
    const stage = this.#jobs.get(jobOfTask(task))?.stages.get(ordinalOf(task));
    const problem = problemOf(result, stage?.spec.buckets ?? null, inProcess);
    if (problem !== null) {
      this.failed(node, attempt, { code: "BadResult", message: problem, retryable: true });
      return;
    }
    const durable = !inProcess && chunks.every(({ inline }) => inline !== undefined);
    this.#reported.set(attempt, { node, result });
    this.dispatch({ type: "AttemptSucceeded", node, attempt, output: { chunks, durable } });
  }

  failed(node: NodeId, attempt: AttemptId, error: WireError): void {
    const session = this.#nodes.get(node);
    const job = jobOfTask(taskOfAttempt(attempt));
    this.#options.log.warn(`${attempt} failed on ${session?.name ?? node}: ${error.message}`, job);
    this.dispatch({ type: "AttemptFailed", node, attempt, error });
    session?.channel.send({ type: "acknowledge", accepted: [], rejected: [attempt] });
  }

  dispatch(event: SchedulerEvent): void {
    this.#loop.dispatch(event);
  }

  // What is shown.

  get storageProblem(): string | null {
    return this.#storageProblem;
  }

  /** How many attempts a node owes. */
  owes(node: NodeId): number {
    const load = nodeLoad(this.#loop.state, node);
    return load ? load.running + load.queued : 0;
  }

  source(job: JobId, ordinal: number): ReadableSource | undefined {
    return this.#jobs.get(job)?.sources.get(ordinal);
  }

  stages(job: JobId): StageView[] {
    const underWay = new Map<string, number>();
    for (const node of this.#nodes.values()) {
      for (const [attempt, done] of node.units) {
        const stage = stageOf(taskOfAttempt(attempt));
        underWay.set(stage, (underWay.get(stage) ?? 0) + done);
      }
    }
    return [...(this.#jobs.get(job)?.stages.values() ?? [])].map((stage) => {
      const { ordinal } = stage.request;
      const progress = stageProgress(this.#loop.state, job, ordinal);
      const units = underWay.get(`${job}/${ordinal}`) ?? 0;
      return stage.view(this.#now(), progress, units);
    });
  }

  shares(job: JobId): { node: string; name: string; tasks: number }[] {
    return this.#jobs.get(job)?.shares ?? [];
  }

  /** Bytes that the job's tasks read from other tasks, by the way they came. */
  shuffled(job: JobId): ShuffleBytes {
    return this.#jobs.get(job)?.fetched ?? NO_SHUFFLE_BYTES;
  }

  story(task: TaskKey): readonly string[] | undefined {
    return this.#loop.state.tasks.has(task) ? story(this.#loop.state, task) : undefined;
  }

  close(): void {
    this.#loop.close();
    this.outputs.close();
    this.#patience.close();
  }

  // What the scheduler wants.

  #assign({ node, assignments }: Extract<SchedulerEffect, { type: "Assign" }>): void {
    const session = this.#nodes.get(node);
    if (!session) return;
    const leases = assignments.map(({ attempt, task }) => {
      const { request } = this.#stage(jobOfTask(task), ordinalOf(task));
      const lease = leaseOf(attempt, task, request, this.outputs.table);
      return { ...lease, input: withHolders(lease.input, (ref) => this.#introduce(session, lease.job, ref)) };
    });
    const tooLarge = session.assign(leases, (lease) => this.#stage(lease.job, lease.ordinal).spec);
    for (const { attempt } of tooLarge) this.failed(node, attempt, inputTooLarge(attempt));
  }

  /** Peers that the reader may ask for a chunk; none where the way through the coordinator suits better. */
  #introduce(reader: NodeSession, job: JobId, ref: ChunkRef): string[] {
    const shuffle = this.#jobs.get(job)?.shuffle ?? "relay";
    if (!reader.peer || ref.inline !== undefined || shuffle === "relay") return [];
    if (shuffle === "auto" && (ref.bytes < SMALL_BYTES || reader.isOnThisMachine)) return [];
    const holders = holdersOf(this.#loop.state, taskOfChunk(ref.key));
    if (holders.includes(reader.id)) return [];
    const peers = holders.flatMap((node) => this.#nodes.get(node)?.peer?.id ?? []).slice(0, MAX_HOLDERS);
    for (const peer of peers) this.introductions.introduce(job, reader.peer.id, peer);
    return peers;
  }

  #accept({ node, attempt, task, output, repeated }: Extract<SchedulerEffect, { type: "Accept" }>): void {
    const result = this.#reported.get(attempt)?.result;
    if (!result) throw new Error(`${attempt} was accepted but never reported`);
    this.#reported.delete(attempt);
    const { summary, backend, reason, runMs } = result;
    const record: OutputRecord = { task, ...output, summary, backend, reason, runMs };
    if (!repeated) this.#jobs.get(jobOfTask(task))?.count(record, result, this.#nodes.get(node));
    this.outputs.accept(record, { node, attempt }, !repeated);
  }

  #reject({ node, attempt, reason }: Extract<SchedulerEffect, { type: "Reject" }>): void {
    this.#options.log.debug(`${attempt} of ${node} rejected: ${reason}`);
    this.#reported.delete(attempt);
    this.#nodes.get(node)?.channel.send({ type: "acknowledge", accepted: [], rejected: [attempt] });
  }

  /** Outputs are on disk: their nodes hear it, and their stages count them. */
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

  /** Whatever the driver waits for, or asks for from now on, rejects. */
  #fail(id: JobId, error: KindlingError): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    job.fail(error, this.#now());
    this.outputs.giveUp(id, () => error);
  }

  // Inside.

  #now(): number {
    return this.#options.clock.now();
  }

  #live(id: JobId): LiveJob {
    const job = this.#jobs.get(id);
    if (!job) throw new KindlingError("JobEnded", `${id} is over`);
    if (job.failure) throw job.failure;
    return job;
  }

  #stage(id: JobId, ordinal: number): RunningStage {
    const job = this.#jobs.get(id);
    if (!job) throw new Error(`${id} is over`);
    return job.stage(ordinal);
  }

  /** Outputs of this stage from an earlier life of the coordinator. */
  async #recover(request: StageRequest, job: LiveJob, stage: RunningStage): Promise<OutputRecord[]> {
    const found: OutputRecord[] = [];
    if (job.recovered.size === 0) return found;
    for (let partition = 0; partition < request.inputs.length; partition++) {
      const record = job.recovered.get(taskKey(request.job, request.ordinal, partition));
      if (!record) continue;
      const checked = await this.outputs.recover(record);
      stage.accept(checked, 0, true);
      found.push(checked);
    }
    return found;
  }
}

const stageOf = (task: TaskKey): string => task.slice(0, task.lastIndexOf("/"));
