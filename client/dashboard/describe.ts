import type { JobView, NodeView, StageView } from "../../shared/protocol/api.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { Value } from "../../shared/value.ts";
import {
  formatAgo,
  formatCount,
  formatDuration,
  formatInteger,
  formatMetric,
  formatPercent,
  formatRate,
  formatUnits,
} from "../ui/format.ts";
import type { Tone } from "../ui/parts.ts";
import { backendName, humanize } from "../ui/words.ts";
import { fractionOf, progressOf } from "../ui/progress.ts";
import type { DashboardModel } from "./model.ts";

/** The view model: what the dashboard says, computed from what the coordinator told. */

export interface StageRow {
  readonly key: string;
  readonly title: string;
  /** `34 of 64 tasks · 2 retries`. */
  readonly tasks: string;
  /** Work, rate, time. */
  readonly figures: string;
  /** Backends that ran it, and why. */
  readonly how: string;
  readonly progress: { readonly done: number; readonly running: number; readonly total: number };
  readonly tone: "good" | "bad" | undefined;
}

function stageRow(stage: StageView, unit: string, live: boolean): StageRow {
  const finished = stage.done >= stage.tasks;
  const average = stage.seconds > 0 ? stage.units / stage.seconds : 0;
  const rate = finished || !live ? average : stage.unitsPerSecond;
  return {
    key: String(stage.ordinal),
    title: `${humanize(stage.label)} (${stage.kind})`,
    tasks: joined(
      `${formatInteger(stage.done)} of ${formatCount(stage.tasks, "task")}`,
      stage.retries > 0 && `${formatInteger(stage.retries)} ${stage.retries === 1 ? "retry" : "retries"}`,
    ),
    figures: joined(
      stage.units > 0 && formatUnits(stage.units, unit),
      stage.units > 0 && rate > 0 && formatRate(rate, unit),
      stage.seconds > 0 && formatDuration(stage.seconds),
    ),
    how: joined(
      Object.entries(stage.backends)
        .map(([backend, tasks]) => `${backendName(backend as Backend)} × ${formatInteger(tasks)}`)
        .join(", "),
      stage.reason,
    ),
    progress: { done: stage.done, running: stage.running, total: stage.tasks },
    tone: finished ? "good" : live ? undefined : "bad",
  };
}

const joined = (...parts: readonly (string | false)[]): string => parts.filter(Boolean).join(" · ");

export interface ShareRow {
  readonly key: string;
  readonly name: string;
  readonly tasks: number;
  readonly text: string;
}

export interface MetricRow {
  readonly key: string;
  readonly name: string;
  readonly value: string;
}

export interface TopRow {
  readonly key: string;
  readonly name: string;
  readonly value: number;
  readonly text: string;
}

export interface JobCard {
  readonly id: string;
  readonly title: string;
  readonly tone: Tone;
  readonly state: string;
  readonly running: boolean;
  readonly open: boolean;
  readonly startedAt: string;
  readonly ago: string;
  readonly duration: string;
  /** Progress over all stages known so far, in words and as a bar. */
  readonly progress: { readonly done: number; readonly running: number; readonly total: number };
  readonly percent: string;
  readonly rate: string;
  readonly retries: string;
  readonly stages: readonly StageRow[];
  readonly shares: readonly ShareRow[];
  readonly shareTotal: number;
  readonly metrics: readonly MetricRow[];
  readonly top: readonly TopRow[];
  readonly params: string;
  /** Where it runs, if not on nodes. The page is there as long as the job runs. */
  readonly spark: { readonly text: string; readonly page: string | null; readonly starting: boolean } | null;
  readonly artifacts: JobView["artifacts"];
  readonly error: string;
}

const STATES: Readonly<Record<JobView["state"], readonly [Tone, string]>> = {
  running: ["busy", "Running"],
  succeeded: ["good", "Succeeded"],
  failed: ["bad", "Failed"],
  cancelled: ["calm", "Cancelled"],
};

/** Jobs, the newest first. */
export function jobCards({ overview, unfolded }: Pick<DashboardModel, "overview" | "unfolded">): readonly JobCard[] {
  if (overview === null) return [];
  const jobs = [...overview.jobs].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  return jobs.map((job, position) => {
    const running = job.state === "running";
    return jobCard(job, overview.now, unfolded[job.id] ?? (running || position === 0));
  });
}

function jobCard(job: JobView, now: number, open: boolean): JobCard {
  const [tone, state] = STATES[job.state];
  const running = job.state === "running";
  const sum = (of: (stage: StageView) => number) => job.stages.reduce((total, stage) => total + of(stage), 0);
  const rate = sum((stage) => (stage.done < stage.tasks ? stage.unitsPerSecond : 0));
  const retries = sum((stage) => stage.retries);
  const shareTotal = job.shares.reduce((total, { tasks }) => total + tasks, 0);
  const { top, ...metrics } = job.metrics;
  return {
    id: job.id,
    title: job.workload,
    tone,
    state,
    running,
    open,
    startedAt: new Date(job.createdAt).toISOString(),
    ago: formatAgo(Math.max(0, now - job.createdAt)),
    duration: formatDuration(job.seconds),
    progress: job.state === "succeeded" ? { done: 1, running: 0, total: 1 } : progressOf(job),
    percent: formatPercent(fractionOf(job)),
    rate: running && rate > 0 ? formatRate(rate, job.unit) : "",
    retries: retries > 0 ? formatInteger(retries) : "",
    stages: job.stages.map((stage) => stageRow(stage, job.unit, running)),
    shares: [...job.shares]
      .sort((a, b) => b.tasks - a.tasks || (a.node < b.node ? -1 : 1))
      .map(({ node, name, tasks }) => ({
        key: node,
        name,
        tasks,
        text: `${formatCount(tasks, "task")} · ${formatPercent(shareTotal > 0 ? tasks / shareTotal : 0)}`,
      })),
    shareTotal,
    metrics: metricRows(metrics),
    top: topRows(top),
    params: paramText(job.params),
    spark: sparkRow(job),
    artifacts: job.artifacts,
    // That a job was cancelled is its state, and no failure.
    error: job.error === null || job.state === "cancelled" ? "" : `${job.error.message} (${job.error.code})`,
  };
}

const metricRows = (metrics: Readonly<Record<string, Value>>): readonly MetricRow[] =>
  Object.entries(metrics).map(([name, value]) => {
    const timed = /^(.+)Seconds$/.exec(name)?.[1];
    return timed !== undefined && typeof value === "number"
      ? { key: name, name: `${humanize(timed)} time`, value: formatDuration(value) }
      : { key: name, name: metricName(name), value: valueText(value) };
  });

/** Abbreviations of statistics keep their capitals. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  mse: "MSE",
  rmse: "RMSE",
  mae: "MAE",
  r2: "R²",
  mape: "MAPE",
};
const metricName = (name: string): string => ABBREVIATIONS[name] ?? humanize(name);

function valueText(value: Value): string {
  if (typeof value === "number") return formatMetric(value);
  if (typeof value === "bigint") return formatInteger(value);
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "–";
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part));
}

/** The top keys of a count: pairs `[key, sum]` or objects with `key` and a number, whatever its name. */
function topRows(top: Value): readonly TopRow[] {
  if (!Array.isArray(top)) return [];
  return top.flatMap((entry: Value, position): readonly TopRow[] => {
    const parts: readonly Value[] = Array.isArray(entry)
      ? entry
      : typeof entry === "object" && entry !== null
        ? Object.values(entry)
        : [];
    const [name, sum] = parts;
    const value = typeof sum === "string" && /^-?\d+$/.test(sum) ? BigInt(sum) : sum;
    if (typeof name !== "string" || (typeof value !== "number" && typeof value !== "bigint")) return [];
    const text = typeof value === "bigint" ? formatInteger(value) : formatMetric(value);
    return [{ key: `${position} ${name}`, name: name === "" ? "(empty)" : name, value: Number(value), text }];
  });
}

function sparkRow({ spark, state }: JobView): JobCard["spark"] {
  if (!spark) return null;
  const isPage = state === "running" && /^https?:/.test(spark.page ?? "");
  const { name, application, engine } = spark;
  const parts = [name, application !== null && `application ${application}`, engine && `Spark’s own ${engine}`];
  return {
    text: parts.filter(Boolean).join(", "),
    page: isPage ? spark.page : null,
    starting: state === "running" && application === null,
  };
}

function paramText(params: Value): string {
  if (typeof params !== "object" || params === null) return "";
  return Object.entries(params)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name} ${valueText(value as Value)}`)
    .join(" · ");
}

export interface NodeRow {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly tone: Tone;
  readonly state: string;
  readonly slots: { readonly busy: number; readonly all: number; readonly text: string };
  readonly done: string;
  readonly since: string;
  readonly backends: readonly string[];
  readonly lacks: readonly string[];
}

const KINDS: Readonly<Record<NodeView["kind"], string>> = {
  tab: "Tab",
  headless: "Headless",
  local: "In this process",
};

export function nodeRows({ overview }: Pick<DashboardModel, "overview">): readonly NodeRow[] {
  if (overview === null) return [];
  return overview.nodes.map((node) => ({
    id: node.id,
    name: node.name,
    kind: KINDS[node.kind],
    ...nodeState(node),
    slots: { busy: node.running, all: node.slots, text: slotText(node) },
    done: formatCount(node.tasksDone, "task"),
    since: formatAgo(Math.max(0, overview.now - node.joinedAt)),
    backends: node.backends.map(backendName),
    lacks: node.lacks,
  }));
}

const slotText = ({ running, slots }: NodeView): string =>
  slots === 0 ? "Offers no slots now" : `${formatInteger(running)} of ${formatCount(slots, "slot")} busy`;

function nodeState({ state, running }: NodeView): { readonly tone: Tone; readonly state: string } {
  if (state === "leaving") return { tone: "calm", state: "Leaving" };
  if (state === "paused") return { tone: "warn", state: "Paused" };
  return running > 0 ? { tone: "busy", state: "Working" } : { tone: "good", state: "Ready" };
}

/** The title of the page: what runs, readable from another tab. */
export function pageTitle({ overview, connection, token }: DashboardModel): string {
  if (token === null) return "Kindling dashboard";
  if (connection.kind === "lost") return "No connection · Kindling";
  const running = overview?.jobs.filter(({ state }) => state === "running") ?? [];
  const [only] = running;
  if (only === undefined) return "Kindling dashboard";
  return running.length === 1
    ? `${formatPercent(fractionOf(only))} ${only.workload} · Kindling`
    : `${running.length} jobs run · Kindling`;
}
