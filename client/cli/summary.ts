import type { JobView } from "../../shared/protocol/api.ts";
import { plainJson } from "../../shared/plain-json.ts";
import type { Value } from "../../shared/value.ts";

/** What `run` prints: with --json exactly this object. */
export interface RunSummary {
  readonly job: string;
  readonly workload: string;
  readonly executor: "local" | "fabric" | "spark";
  /** The backends that ran its tasks, most used first. */
  readonly backend: string;
  /** Why those, by stage; stages that had no choice are left out. */
  readonly reason: string;
  readonly seconds: number;
  readonly metrics: Readonly<Record<string, Value>>;
  readonly artifacts: readonly { name: string; path: string | null; bytes: number; sha256: string }[];
}

export function summarize(
  job: JobView,
  executor: RunSummary["executor"],
  pathOf: (artifact: string) => string | null,
): RunSummary {
  const tasks = new Map<string, number>();
  for (const { backends } of job.stages) {
    for (const [backend, count] of Object.entries(backends)) tasks.set(backend, (tasks.get(backend) ?? 0) + count);
  }
  return {
    job: job.id,
    workload: job.workload,
    executor,
    backend: [...tasks]
      .sort(([, a], [, b]) => b - a)
      .map(([backend]) => backend)
      .join("+"),
    reason: reasonsOf(job.stages),
    seconds: job.seconds,
    metrics: executor === "fabric" && job.shuffle ? { ...job.metrics, shuffle: { ...job.shuffle } } : job.metrics,
    artifacts: job.artifacts.map(({ name, bytes, sha256 }) => ({ name, path: pathOf(name), bytes, sha256 })),
  };
}

/** Stages that are named with one reason; a backtest has many alike. */
const NAMED_STAGES = 3;

function reasonsOf(stages: JobView["stages"]): string {
  const labels = new Map<string, string[]>();
  for (const { label, reason } of stages) {
    if (reason !== "" && !reason.endsWith(" alone")) labels.set(reason, [...(labels.get(reason) ?? []), label]);
  }
  return Array.from(labels, ([reason, named]) => {
    const more = named.length > NAMED_STAGES ? ` and ${named.length - NAMED_STAGES} more` : "";
    return `${named.slice(0, NAMED_STAGES).join(", ")}${more}: ${reason}`;
  }).join("; ");
}

/** As the coordinator's API writes it. */
export const toJson = (summary: RunSummary): string => JSON.stringify(summary, plainJson);

/** The summary for a person. */
export function printable(summary: RunSummary): string {
  const lines = [`${summary.workload}: ${summary.seconds.toFixed(2)} s (${summary.executor}, ${summary.backend})`];
  if (summary.reason !== "") lines.push(`  backend: ${summary.reason}`);
  for (const [name, value] of Object.entries(summary.metrics)) lines.push(...metricLines(name, value));
  for (const { name, path, bytes, sha256 } of summary.artifacts) {
    lines.push(`  ${path ?? name}  ${bytes.toLocaleString("en")} bytes  sha256 ${sha256}`);
  }
  return lines.join("\n");
}

function metricLines(name: string, value: Value): string[] {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const rows = Array.from(value as readonly Value[]).map((row) =>
      typeof row === "object" && row !== null ? Object.values(row).map(String).join("  ") : String(row),
    );
    return [`  ${name}:`, ...rows.map((row) => `    ${row}`)];
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([inner, item]) => metricLines(`${name}.${inner}`, item as Value));
  }
  if (typeof value === "number") {
    return [`  ${name}: ${Number.isInteger(value) ? value.toLocaleString("en") : Number(value.toPrecision(6))}`];
  }
  return value === undefined ? [] : [`  ${name}: ${String(value)}`];
}
