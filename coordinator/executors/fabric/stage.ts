import type { TaskKey } from "../../../shared/ids.ts";
import type { StageView } from "../../../shared/protocol/api.ts";
import type { StageSpec } from "../../../shared/protocol/messages.ts";
import type { Backend } from "../../../shared/sdk/task.ts";
import type { Value } from "../../../shared/value.ts";
import type { StageProgress } from "../../scheduler/views.ts";
import type { OutputRecord } from "../../store/journal.ts";
import type { StageRequest } from "../executor.ts";
import { partitionOf } from "./specs.ts";

/** A stage under way: what its nodes are told, who waits for it, and what is shown of it. */
export class RunningStage {
  readonly request: StageRequest;
  readonly spec: StageSpec;
  readonly finished: Promise<readonly Value[]>;
  /** Summaries by partition, filled as outputs are accepted. */
  readonly #summaries: Value[];
  readonly #accepted = new Set<TaskKey>();
  readonly #backends = new Map<Backend, number>();
  readonly #startedAt: number;
  #endedAt: number | null = null;
  #resolve!: (summaries: readonly Value[]) => void;
  #reject!: (error: unknown) => void;
  /** The last one of each backend: where a GPU handed one task back, that stays to be seen. */
  readonly #reasons = new Map<Backend, string>();
  #units = 0;
  #unsynced = 0;
  #complete = false;

  constructor(request: StageRequest, spec: StageSpec, now: number) {
    this.request = request;
    this.spec = spec;
    this.#startedAt = now;
    this.#summaries = new Array<Value>(request.inputs.length);
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A job that fails rejects all its stages, also one that its driver does not wait for any more.
    this.finished.catch(() => undefined);
  }

  /** Takes an output, new or from the journal. A recomputed one changes nothing here. */
  accept(record: OutputRecord, units: number, synced: boolean): void {
    if (this.#accepted.has(record.task)) return;
    this.#accepted.add(record.task);
    this.#summaries[partitionOf(record.task)] = record.summary;
    this.#backends.set(record.backend, (this.#backends.get(record.backend) ?? 0) + 1);
    this.#reasons.set(record.backend, record.reason);
    this.#units += units;
    if (!synced) this.#unsynced++;
  }

  /** One accepted output has reached the disk. */
  synced(now: number): void {
    this.#unsynced--;
    this.#settle(now);
  }

  /** The scheduler has all outputs. */
  complete(now: number): void {
    this.#complete = true;
    this.#settle(now);
  }

  fail(error: unknown, now: number): void {
    this.#endedAt ??= now;
    this.#reject(error);
  }

  #settle(now: number): void {
    if (!this.#complete || this.#unsynced > 0 || this.#endedAt !== null) return;
    this.#endedAt = now;
    this.#resolve(this.#summaries);
  }

  get ended(): boolean {
    return this.#endedAt !== null;
  }

  /** `runningUnits`: done by attempts under way. */
  view(now: number, progress: StageProgress | undefined, runningUnits: number): StageView {
    const seconds = ((this.#endedAt ?? now) - this.#startedAt) / 1000;
    const units = this.#units + runningUnits;
    return {
      ordinal: this.request.ordinal,
      label: this.request.label,
      kind: this.request.kind,
      tasks: this.request.inputs.length,
      // Less than was accepted while lost outputs are made again.
      done: progress?.done ?? this.#accepted.size,
      running: progress?.leased ?? 0,
      retries: progress?.retries ?? 0,
      units,
      unitsPerSecond: seconds > 0 ? units / seconds : 0,
      backends: Object.fromEntries(this.#backends),
      reason: [...new Set(this.#reasons.values())].filter(Boolean).join("; "),
      seconds,
    };
  }
}
