import type { Backend } from "../../shared/sdk/task.ts";

/** One attempt that a kernel really ran, for counting what was computed twice. */
export interface ExecutionRecord {
  readonly attempt: string;
  readonly task: string;
  /** ms from its start to its end on this node. */
  readonly ms: number;
  /** Null where it failed. */
  readonly backend: Backend | null;
  /** `ok`, or the error's code. */
  readonly outcome: string;
}

export type ExecutionLog = (record: ExecutionRecord) => void;
