import { KindlingError } from "../../shared/errors.ts";
import type { SparkEngine, SparkRequest } from "../../shared/protocol/submit-request.ts";
import type { OwnOption } from "./schema-options.ts";

/** Options of `run` that only executor `spark` has. */
export const SPARK_OPTIONS = {
  master: { type: "string", value: "MASTER", help: "executor spark: local[2] (default), spark://HOST:7077 or yarn" },
  submit: {
    type: "string",
    value: "HOW",
    help: "executor spark: spark-submit (default), livy:URL, emr:CLUSTER_ID or emr-serverless:APP_ID",
  },
  staging: {
    type: "string",
    value: "PLACE",
    help: "executor spark: s3://BUCKET/PREFIX, or a shared folder, where a remote cluster gets its files",
  },
  "execution-role": { type: "string", value: "ARN", help: "executor spark: the role of jobs on EMR Serverless" },
  yes: { type: "boolean", help: "executor spark: do not ask before AWS bills for it (EMR Serverless)" },
  "spark-conf": {
    type: "string",
    value: "KEY=VALUE",
    multiple: true,
    help: "executor spark: a Spark property; again for more",
  },
  print: { type: "boolean", help: "executor spark: print the command that would be run, and run nothing" },
} as const satisfies Record<string, OwnOption>;

/** What `--engine` does, which is parsed apart. */
export const ENGINE_HELP = [
  "--engine rdd|dataframe|mllib",
  "executor spark: Spark's own way to count (rdd, dataframe) or forecast (mllib)",
] as const;

interface SparkOwn {
  readonly master?: string;
  readonly submit?: string;
  readonly staging?: string;
  readonly "execution-role"?: string;
  readonly yes?: boolean;
  readonly "spark-conf"?: readonly string[];
  readonly print?: boolean;
}

/** Throws `BadUsage` where options of executor `spark` are given without it. */
export function refuseSparkOptions(own: SparkOwn, engine: SparkEngine | undefined): void {
  const names = Object.keys(SPARK_OPTIONS) as (keyof SparkOwn)[];
  const odd = engine === undefined ? names.find((name) => own[name] !== undefined) : `engine ${engine}`;
  if (odd !== undefined) throw new KindlingError("BadUsage", `--${odd} goes with --executor spark`);
}

/** The target that the options name. Throws `BadUsage`. */
export function sparkRequest(own: SparkOwn, engine: SparkEngine | undefined): SparkRequest {
  return {
    master: own.master ?? "local[2]",
    submit: own.submit ?? "spark-submit",
    ...(own.staging === undefined ? {} : { staging: own.staging }),
    ...(own["execution-role"] === undefined ? {} : { executionRole: own["execution-role"] }),
    conf: Object.fromEntries((own["spark-conf"] ?? []).map(property)),
    ...(engine === undefined ? {} : { engine }),
  };
}

function property(text: string): [string, string] {
  const [, key, value] = /^([\w.-]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new KindlingError("BadUsage", `--spark-conf takes KEY=VALUE, not ${JSON.stringify(text)}`);
  }
  return [key, value];
}
