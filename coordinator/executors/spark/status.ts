import * as z from "zod";
import { KindlingError } from "../../../shared/errors.ts";

/** What marks a line of the program's standard output as a status. */
const MARK = "kindling-status ";

const count = z.number().min(0);
const stage = z.object({
  ordinal: count,
  label: z.string(),
  kind: z.enum(["map", "shuffle", "reduce"]),
  tasks: count,
  done: count,
  running: count,
  retries: count,
  units: count,
  unitsPerSecond: count,
  backends: z.partialRecord(z.enum(["js", "wasm", "webgpu", "webgl"]), count),
  reason: z.string(),
  seconds: count,
});

const status = z.object({
  state: z.enum(["running", "succeeded", "failed"]),
  /** From the first read on; Spark's own start is not counted. */
  seconds: count,
  unit: z.string(),
  /** Spark's version and id of the application, and the page that shows it. */
  spark: z.string(),
  application: z.string(),
  page: z.string().nullable(),
  stages: z.array(stage),
  metrics: z.record(z.string(), z.json()),
  /** `file` lies beside the status. */
  artifacts: z.array(
    z.object({
      name: z.string(),
      file: z.string().regex(/^artifact-\d+$/),
      bytes: count,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});

/** How a job on Spark stands, as the program that runs there tells it. */
export type SparkStatus = z.infer<typeof status>;

/** Throws `BadStatus` for text that is none. */
export function parseStatus(json: string): SparkStatus {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw new KindlingError("BadStatus", "The Spark program's status is no JSON", { cause });
  }
  const checked = status.safeParse(parsed);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new KindlingError("BadStatus", `The Spark program's status: ${issue?.path.join(".")}: ${issue?.message}`);
}

/** The status in a line of the program's output; null where it has none. Logs of clusters put their own words before it. */
export function statusOf(line: string): SparkStatus | null {
  const at = line.indexOf(MARK);
  return at < 0 ? null : parseStatus(line.slice(at + MARK.length));
}
