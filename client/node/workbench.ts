import type { Clock } from "../../shared/clock.ts";
import { toWireError, type WireError } from "../../shared/errors.ts";
import { type AttemptId, chunkKey, type JobId, taskOfAttempt } from "../../shared/ids.ts";
import {
  INLINE_BYTES,
  type Lease,
  type OutputChunk,
  type StageSpec,
  type TaskResult,
  type TaskSuccess,
} from "../../shared/protocol/messages.ts";
import type { OutputForm, RunReply, RunSuccess } from "../worker/compute-protocol.ts";
import type { ExecutionLog } from "./execution-log.ts";
import type { HeldOutputs } from "./held-outputs.ts";
import type { Inputs, PreparedInput } from "./inputs.ts";
import type { WorkerPool } from "./pool.ts";

/** Caps of the wire, in characters. */
const MAX_MESSAGE = 4096;
const MAX_CODE = 64;
const MAX_REASON = 256;

type Progress =
  | { readonly kind: "queued" }
  | { readonly kind: "fetching" }
  | { readonly kind: "ready"; readonly prepared: PreparedInput; readonly fetchMs: number }
  | { readonly kind: "running"; readonly since: number };

interface Work {
  readonly lease: Lease;
  readonly stage: StageSpec;
  readonly controller: AbortController;
  progress: Progress;
  /** Done so far, in the workload's unit. */
  units: number;
}

export interface RunningTask {
  readonly attempt: AttemptId;
  readonly task: string;
  readonly units: number;
  readonly seconds: number;
}

export interface WorkbenchOptions {
  readonly slots: number;
  /** Inputs that are fetched beyond one for each slot are of at most so many bytes, all that are fetched counted. */
  readonly aheadBytes: number;
  /** How outputs leave the threads while there is room for them. */
  readonly outputs: OutputForm;
  readonly pool: Pick<WorkerPool, "idle" | "run" | "rest" | "abort">;
  readonly inputs: Pick<Inputs, "prepare">;
  readonly held: HeldOutputs;
  readonly clock: Clock;
  readonly executionLog?: ExecutionLog | undefined;
  /** Takes a result; what it made is held by then. */
  readonly finished: (result: TaskResult) => void;
  /** Something that people see has changed. */
  readonly changed: () => void;
}

/** Where leases become results: inputs are fetched while earlier tasks run, so that a thread never waits for the network. */
export class Workbench {
  readonly #options: WorkbenchOptions;
  /** In the order of assignment. */
  readonly #work = new Map<AttemptId, Work>();
  #open = true;
  readonly done = { tasks: 0, failed: 0, units: 0 };

  constructor(options: WorkbenchOptions) {
    this.#options = options;
  }

  assign(lease: Lease, stage: StageSpec): void {
    if (this.#work.has(lease.attempt)) return;
    const work: Work = { lease, stage, controller: new AbortController(), progress: { kind: "queued" }, units: 0 };
    this.#work.set(lease.attempt, work);
    this.#pump();
  }

  /** Drops these attempts without a result; a running kernel is stopped. */
  revoke(attempts: readonly AttemptId[]): void {
    for (const attempt of attempts) {
      const work = this.#work.get(attempt);
      if (work === undefined) continue;
      this.#work.delete(attempt);
      work.controller.abort();
      const error: WireError = { code: "Revoked", message: `${attempt} was revoked`, retryable: true };
      if (work.progress.kind === "running") this.#options.pool.abort(attempt, error);
    }
    this.#pump();
  }

  forget(job: JobId): AttemptId[] {
    const attempts = [...this.#work.values()]
      .filter(({ lease }) => lease.job === job)
      .map(({ lease }) => lease.attempt);
    this.revoke(attempts);
    return attempts;
  }

  /** Starts nothing more, and gives back what was not started. */
  close(): AttemptId[] {
    this.#open = false;
    const unstarted = [...this.#work.values()].filter(({ progress }) => progress.kind !== "running");
    const attempts = unstarted.map(({ lease }) => lease.attempt);
    this.revoke(attempts);
    return attempts;
  }

  reopen(): void {
    this.#open = true;
    this.#pump();
  }

  get isOpen(): boolean {
    return this.#open;
  }

  progress(attempt: AttemptId, units: number): void {
    const work = this.#work.get(attempt);
    if (work === undefined) return;
    work.units = units;
    this.#options.changed();
  }

  unitsOf(attempt: AttemptId): number {
    return this.#work.get(attempt)?.units ?? 0;
  }

  running(): RunningTask[] {
    const now = this.#options.clock.now();
    return [...this.#work.values()].flatMap(({ lease, stage, progress, units }) =>
      progress.kind === "running"
        ? [{ attempt: lease.attempt, task: stage.task, units, seconds: (now - progress.since) / 1000 }]
        : [],
    );
  }

  /** Begins all that may begin now: fetching for the next tasks, and tasks on idle threads. */
  #pump(): void {
    if (!this.#open) return;
    const { pool, slots, aheadBytes } = this.#options;
    for (const work of this.#work.values()) {
      if (!pool.idle) break;
      if (work.progress.kind === "ready") void this.#run(work, work.progress);
    }
    // One round for the threads and one ahead, as far as that fits: more inputs would only fill memory.
    const ahead = [...this.#work.values()].filter(({ progress }) => ["fetching", "ready"].includes(progress.kind));
    let count = ahead.length;
    let bytes = ahead.reduce((sum, { lease }) => sum + inputBytes(lease), 0);
    for (const work of this.#work.values()) {
      if (work.progress.kind !== "queued") continue;
      bytes += inputBytes(work.lease);
      if (count >= 2 * slots || (count >= slots && bytes > aheadBytes)) break;
      count++;
      void this.#fetch(work);
    }
    if (this.running().length === this.#work.size) pool.rest();
  }

  async #fetch(work: Work): Promise<void> {
    const { lease, stage, controller } = work;
    const { inputs, clock } = this.#options;
    const start = clock.now();
    work.progress = { kind: "fetching" };
    try {
      const prepared = await inputs.prepare(lease, stage, controller.signal);
      if (this.#work.get(lease.attempt) !== work) return;
      work.progress = { kind: "ready", prepared, fetchMs: clock.now() - start };
    } catch (error) {
      if (this.#work.get(lease.attempt) !== work) return;
      this.#fail(work, toWireError(error));
    }
    this.#pump();
  }

  async #run(work: Work, { prepared, fetchMs }: Progress & { kind: "ready" }): Promise<void> {
    const { lease, stage } = work;
    const { attempt, partition } = lease;
    const { pool, held, clock, executionLog, changed } = this.#options;
    // What goes to the spill file moves there: shared memory would be free only when all threads have collected it.
    const outputs = this.#options.outputs === "shared" && held.isFull ? "moved" : this.#options.outputs;
    const since = clock.now();
    work.progress = { kind: "running", since };
    changed();
    const request = { attempt, stage, partition, input: prepared.input, outputs };
    const reply = await pool.run(request, prepared.transfers);
    executionLog?.({
      attempt,
      task: stage.task,
      ms: clock.now() - since,
      backend: reply.ok ? reply.backend : null,
      outcome: reply.ok ? "ok" : reply.error.code,
    });
    if (this.#work.get(attempt) === work) this.#settle(work, reply, fetchMs, prepared.fetched);
    this.#pump();
  }

  #settle(work: Work, reply: RunReply, fetchMs: number, fetched: TaskSuccess["fetched"]): void {
    if (!reply.ok) {
      this.#fail(work, reply.error);
      return;
    }
    const { attempt } = work.lease;
    const { backend, units, runMs } = reply;
    // The wire knows no undefined fields.
    const summary = reply.summary ?? null;
    let chunks: OutputChunk[];
    try {
      chunks = this.#keep(attempt, reply);
    } catch (error) {
      // There is no room for them: another node may have some.
      this.#options.held.reject([attempt]);
      this.#fail(work, toWireError(error));
      return;
    }
    this.#work.delete(attempt);
    this.done.tasks++;
    this.done.units += units;
    const reason = reply.reason.slice(0, MAX_REASON);
    const read = fetched === undefined ? {} : { fetched };
    this.#finish({ attempt, ok: true, chunks, summary, backend, reason, fetchMs, runMs, units, ...read });
  }

  #fail(work: Work, { code, message, retryable }: WireError): void {
    const { attempt } = work.lease;
    this.#work.delete(attempt);
    this.done.failed++;
    const error = { code: code.slice(0, MAX_CODE), message: message.slice(0, MAX_MESSAGE), retryable };
    this.#finish({ attempt, ok: false, error });
  }

  #finish(result: TaskResult): void {
    this.#options.finished(result);
    this.#options.changed();
  }

  /** Small outputs travel inside the result; all others stay here until the job is over. */
  #keep(attempt: AttemptId, { chunks }: RunSuccess): OutputChunk[] {
    const total = chunks.reduce((sum, { bytes }) => sum + bytes, 0);
    const isSmall = total <= INLINE_BYTES && chunks.every(({ payload }) => "encoded" in payload);
    return chunks.map(({ payload, bytes, hash }, bucket) => {
      // Encoded outputs come from a worker by transfer: their memory is never shared.
      if (isSmall && "encoded" in payload) return { bytes, hash, inline: payload.encoded as Uint8Array<ArrayBuffer> };
      this.#options.held.hold(attempt, { key: chunkKey(taskOfAttempt(attempt), bucket), bytes, hash }, payload);
      return { bytes, hash };
    });
  }
}

/** Bytes that are fetched for a task. */
function inputBytes({ input }: Lease): number {
  if (input.kind === "value") return 0;
  const chunks = input.kind === "chunk" ? [input.chunk] : input.chunks;
  return chunks.reduce((sum, { bytes }) => sum + bytes, 0);
}
