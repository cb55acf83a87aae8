import type { JobView } from "../../../shared/protocol/api.ts";
import type { Value } from "../../../shared/value.ts";
import type { SparkStatus } from "./status.ts";

/** What a view says of Spark itself, once it has started. */
export const sparkOf = ({ spark, application, page }: SparkStatus): NonNullable<JobView["spark"]> => ({
  name: spark,
  application,
  page,
});

/** A job on Spark as any other is shown. `status` is null until Spark has started. */
export function sparkJobView(job: {
  readonly id: string;
  readonly workload: string;
  readonly params: Value;
  readonly createdAt: number;
  readonly status: SparkStatus | null;
}): JobView {
  const { id, workload, params, createdAt, status } = job;
  return {
    ...{ id, workload, params, createdAt },
    state: status?.state ?? "running",
    seconds: status?.seconds ?? 0,
    unit: status?.unit ?? "tasks",
    stages: status?.stages ?? [],
    shares: [],
    ...(status === null ? {} : { spark: sparkOf(status) }),
    metrics: status?.metrics ?? {},
    artifacts: status?.artifacts.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })) ?? [],
    error: status?.error ?? null,
  };
}
