import type { SparkStatus, StageRequest } from "../../coordinator/driving.ts";
import type { TaskMeta } from "./task-result.ts";

type StageView = SparkStatus["stages"][number];

/** What Spark counts of a stage under way. */
export interface StageCounts {
  readonly done: number;
  readonly running: number;
  /** Attempts that failed or were lost. */
  readonly retries: number;
  readonly units: number;
}

/** One stage, as it is shown. */
export class StageRecord {
  readonly #request: StageRequest;
  readonly #startedAt: number;
  #endedAt: number | null = null;
  #metas: readonly TaskMeta[] = [];
  #counts: StageCounts = { done: 0, running: 0, retries: 0, units: 0 };

  constructor(request: StageRequest, now: number) {
    this.#request = request;
    this.#startedAt = now;
  }

  progressed(counts: StageCounts): void {
    if (this.#endedAt === null) this.#counts = counts;
  }

  finished(metas: readonly TaskMeta[], now: number): void {
    this.#metas = metas;
    this.#endedAt = now;
    const units = metas.reduce((sum, meta) => sum + meta.units, 0);
    this.#counts = { done: metas.length, running: 0, retries: this.#counts.retries, units };
  }

  /** Bytes of each task's only output. */
  get sizes(): readonly number[] {
    return this.#metas.map(({ bytes }) => bytes ?? 0);
  }

  view(now: number): StageView {
    const { ordinal, label, kind, inputs } = this.#request;
    const seconds = ((this.#endedAt ?? now) - this.#startedAt) / 1000;
    const backends: StageView["backends"] = {};
    for (const { backend } of this.#metas) backends[backend] = (backends[backend] ?? 0) + 1;
    return {
      ...{ ordinal, label, kind, tasks: inputs.length, ...this.#counts },
      unitsPerSecond: seconds > 0 ? this.#counts.units / seconds : 0,
      backends,
      reason: this.#metas.at(-1)?.reason ?? "",
      seconds,
    };
  }
}
