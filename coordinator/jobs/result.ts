import { KindlingError, toWireError, type WireError } from "../../shared/errors.ts";
import { encodeValue } from "../../shared/protocol/value-codec.ts";
import type { JobResult } from "../../shared/sdk/job.ts";

/** What a driver returned, if it is what `job.collect` makes. Throws `BadWorkload`. */
export function checkedResult(workload: string, result: unknown): JobResult {
  const { metrics, artifacts } = (result ?? {}) as Partial<JobResult>;
  if (!Array.isArray(artifacts) || typeof metrics !== "object" || metrics === null) {
    throw new KindlingError("BadWorkload", `${workload}: its driver must return what job.collect gives`);
  }
  try {
    encodeValue(metrics);
  } catch (cause) {
    throw new KindlingError("BadWorkload", `${workload}: its metrics are no plain data: ${String(cause)}`, { cause });
  }
  return { metrics, artifacts };
}

/** What a driver threw. What has no code of its own is a fault in the driver: no task can throw it. */
export function driverError(workload: string, thrown: unknown): Pick<WireError, "code" | "message"> {
  const { code, message } = toWireError(thrown);
  if (code !== "TaskCrashed") return { code, message };
  return { code: "DriverFailed", message: `The driver of ${workload} failed: ${message}` };
}
