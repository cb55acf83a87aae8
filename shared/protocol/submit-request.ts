import * as z from "zod";
import { SHUFFLE_MODES } from "./shuffle.ts";

/** Spark's own ways to do a built-in job, instead of the workload's tasks. */
export const SPARK_ENGINES = ["rdd", "dataframe", "mllib"] as const;
export type SparkEngine = (typeof SPARK_ENGINES)[number];

const sparkRequest = z.object({
  /** `local[2]`, `spark://HOST:7077`, `yarn`. */
  master: z.string().min(1).max(256),
  /** How it is handed over. */
  submit: z.string().min(1).max(1024),
  /** Where a cluster that does not see this machine's files gets and leaves its own: `s3://BUCKET/PREFIX` or a shared folder. */
  staging: z.string().min(1).max(1024).optional(),
  /** The role of jobs on EMR Serverless. */
  executionRole: z.string().max(256).optional(),
  /** Spark properties. */
  conf: z.record(z.string().max(256), z.string().max(4096)),
  engine: z.enum(SPARK_ENGINES).optional(),
});
export type SparkRequest = z.infer<typeof sparkRequest>;

/** `POST /api/jobs`: a built-in workload by name, or any bundle that was uploaded before, by hash. */
export const submitRequest = z.object({
  workload: z.string().min(1).max(64),
  bundle: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  params: z.record(z.string().max(64), z.unknown()).default({}),
  shuffle: z.enum(SHUFFLE_MODES).optional(),
  /** Runs it on Spark instead of on nodes. */
  spark: sparkRequest.optional(),
});
export type SubmitRequest = z.infer<typeof submitRequest>;
