import type { ArtifactView, JobView, NodeView, StageView } from "../../shared/protocol/api.ts";
import type { ShuffleBytes } from "../../shared/protocol/shuffle.ts";
import type { Metrics } from "../../shared/sdk/job.ts";
import type { NodeSession } from "../executors/fabric/session.ts";
import type { JobRecord } from "../store/journal.ts";

/** What an ended job's record keeps of it. */
export interface Outcome {
  readonly unit: string;
  readonly stages: readonly StageView[];
  readonly shares: JobView["shares"];
  readonly shuffle?: ShuffleBytes;
  readonly seconds: number;
  readonly spark?: JobView["spark"];
  readonly metrics?: Metrics;
  readonly artifacts?: readonly ArtifactView[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** What is known of a job before it has ended. */
export type LiveFields = "stages" | "shares" | "shuffle" | "spark" | "unit" | "seconds";

/** `live` tells of a job under way. */
export function jobView(record: JobRecord, live: () => Pick<Outcome, LiveFields>): JobView {
  const outcome: Outcome = record.outcome === null ? live() : (record.outcome as unknown as Outcome);
  return {
    id: record.id,
    workload: record.spec.workload,
    state: record.status,
    createdAt: record.createdAt,
    seconds: outcome.seconds,
    unit: outcome.unit,
    params: record.spec.params,
    stages: outcome.stages,
    shares: outcome.shares,
    ...(outcome.shuffle ? { shuffle: outcome.shuffle } : {}),
    ...(outcome.spark ? { spark: outcome.spark } : {}),
    metrics: outcome.metrics ?? {},
    artifacts: outcome.artifacts ?? [],
    error: outcome.error ?? null,
  };
}

export function nodeView(session: NodeSession, owed: number): NodeView {
  return {
    id: session.id,
    name: session.name,
    kind: session.hello.kind,
    state: session.leaving ? "leaving" : session.slots === 0 ? "paused" : "ready",
    slots: session.slots,
    running: Math.min(owed, session.slots),
    tasksDone: session.tasksDone,
    backends: session.backends,
    lacks: session.hello.lacks,
    joinedAt: session.joinedAt,
  };
}

/** Present work of all running jobs, by unit. */
export function throughput(jobs: readonly JobView[]): Record<string, number> {
  const rates: Record<string, number> = {};
  for (const { state, unit, stages } of jobs) {
    if (state !== "running") continue;
    for (const stage of stages) {
      if (stage.done < stage.tasks) rates[unit] = (rates[unit] ?? 0) + stage.unitsPerSecond;
    }
  }
  return rates;
}
