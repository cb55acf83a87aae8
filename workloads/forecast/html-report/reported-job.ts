import type { JobView } from "../../../shared/protocol/api.ts";

/** What the report tells of a job beside its data. */
export type ReportedJob = Pick<
  JobView,
  "id" | "workload" | "createdAt" | "seconds" | "unit" | "params" | "stages" | "shares" | "metrics" | "artifacts"
>;
