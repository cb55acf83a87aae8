import type { Backend } from "../../shared/sdk/task.ts";
import type { Value } from "../../shared/value.ts";

/** Bytes up to which a task's only output also comes to the driver with its meta: it need not be fetched then. */
export const INLINE_BYTES = 16 * 1024;

/** What a task process tells the driver of a task, as an encoded value that Spark carries: a meta. */
export type TaskMeta = {
  readonly summary: Value;
  readonly backend: Backend;
  readonly reason: string;
  readonly units: number;
  readonly runMs: number;
  /** Bytes of its only output; absent in a shuffle. */
  readonly bytes?: number;
  /** The output itself, encoded. */
  readonly inline?: Uint8Array;
};
