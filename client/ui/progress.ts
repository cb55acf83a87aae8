import type { JobView } from "../../shared/protocol/api.ts";

/** Tasks of all stages that are known so far. */
export interface TaskCounts {
  readonly done: number;
  readonly running: number;
  readonly total: number;
}

export function progressOf({ stages }: Pick<JobView, "stages">): TaskCounts {
  const sum = (field: "done" | "running" | "tasks"): number => stages.reduce((total, stage) => total + stage[field], 0);
  return { done: sum("done"), running: sum("running"), total: sum("tasks") };
}

/** The done part of it, 0 … 1. A job that succeeded is done, also where its stages are not known any more. */
export function fractionOf(job: Pick<JobView, "stages" | "state">): number {
  if (job.state === "succeeded") return 1;
  const { done, total } = progressOf(job);
  return total > 0 ? done / total : 0;
}
