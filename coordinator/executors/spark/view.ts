import type { JobView, SparkView } from "../../../shared/protocol/api.ts";
import type { SparkRequest } from "../../../shared/protocol/submit-request.ts";
import type { Value } from "../../../shared/value.ts";
import type { SparkStatus } from "./status.ts";

/** What a view says of Spark itself. `status` is null until Spark has started. */
export function sparkView({ master, submit, engine }: SparkRequest, status: SparkStatus | null): SparkView {
  return {
    name: status?.spark ?? `Spark, ${submit === "spark-submit" ? master : submit}`,
    application: status?.application ?? null,
    page: status?.page ?? null,
    ...(engine === undefined ? {} : { engine }),
  };
}

/** A job on Spark as any other is shown. */
export function sparkJobView(job: {
  readonly id: string;
  readonly workload: string;
  readonly params: Value;
  readonly createdAt: number;
  readonly target: SparkRequest;
  readonly status: SparkStatus | null;
}): JobView {
  const { id, workload, params, createdAt, target, status } = job;
  return {
    ...{ id, workload, params, createdAt },
    state: status?.state ?? "running",
    seconds: status?.seconds ?? 0,
    unit: status?.unit ?? "tasks",
    stages: status?.stages ?? [],
    shares: [],
    spark: sparkView(target, status),
    metrics: status?.metrics ?? {},
    artifacts: status?.artifacts.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })) ?? [],
    error: status?.error ?? null,
  };
}
