import type { Backend } from "../sdk/task.ts";
import type { Value } from "../value.ts";
import type { ShuffleBytes } from "./shuffle.ts";
import type { SparkEngine } from "./submit-request.ts";

/**
 * What the HTTP API says, in JSON. The coordinator builds these views; the command line and the pages read them.
 * Times called `…At` are ms since 1970.
 */

export type JobState = "running" | "succeeded" | "failed" | "cancelled";

export interface StageView {
  readonly ordinal: number;
  readonly label: string;
  readonly kind: "map" | "shuffle" | "reduce";
  readonly tasks: number;
  readonly done: number;
  readonly running: number;
  /** Attempts that failed or were lost. */
  readonly retries: number;
  /** Work done in the workload's unit, and its present rate per second. */
  readonly units: number;
  readonly unitsPerSecond: number;
  /** Backends that ran it, with how many tasks each, and why each was chosen last. */
  readonly backends: Readonly<Partial<Record<Backend, number>>>;
  readonly reason: string;
  readonly seconds: number;
}

export interface ArtifactView {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface JobView {
  readonly id: string;
  readonly workload: string;
  readonly state: JobState;
  readonly createdAt: number;
  readonly seconds: number;
  readonly unit: string;
  readonly params: Value;
  readonly stages: readonly StageView[];
  /** Share of this job's finished tasks by node name. */
  readonly shares: readonly { readonly node: string; readonly name: string; readonly tasks: number }[];
  /** Bytes of input chunks by the way they came; absent in jobs of earlier versions. */
  readonly shuffle?: ShuffleBytes;
  /** Absent where it runs on nodes. */
  readonly spark?: SparkView;
  readonly metrics: Readonly<Record<string, Value>>;
  readonly artifacts: readonly ArtifactView[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface SparkView {
  /** Its version and master; before it has started, where it is to run. */
  readonly name: string;
  /** Null before Spark has started. */
  readonly application: string | null;
  /** Spark's own page, which answers as long as the application lives. */
  readonly page: string | null;
  /** Spark's own way, where that does the job. */
  readonly engine?: SparkEngine;
}

export interface NodeView {
  readonly id: string;
  readonly name: string;
  readonly kind: "tab" | "headless" | "local";
  readonly state: "ready" | "paused" | "leaving";
  readonly slots: number;
  readonly running: number;
  readonly tasksDone: number;
  readonly backends: readonly Backend[];
  readonly lacks: readonly string[];
  readonly joinedAt: number;
}

/** All that a dashboard shows. A volunteer gets it without params, metrics, artifacts and errors. */
export interface Overview {
  readonly version: string;
  readonly now: number;
  readonly jobs: readonly JobView[];
  readonly nodes: readonly NodeView[];
  /** Present work in all jobs' units per second, by unit. */
  readonly throughput: Readonly<Record<string, number>>;
  /** Invites nodes; only an operator gets it. */
  readonly joinLink?: string;
}

export interface WorkloadView {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its parameters. */
  readonly params: Value;
}

export interface LogLine {
  readonly sequence: number;
  readonly at: number;
  readonly level: "info" | "warn" | "error";
  readonly message: string;
}

/** A `file()` parameter's value for an uploaded file: `upload:HASH/NAME`. Anything else is a path under --data-root. */
export const UPLOAD_PREFIX = "upload:";

/** Body of every response that is no success. */
export interface ApiError {
  readonly error: { readonly code: string; readonly message: string };
}
