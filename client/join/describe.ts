import type { JobView } from "../../shared/protocol/api.ts";
import {
  formatAmount,
  formatBytes,
  formatCount,
  formatDuration,
  formatInteger,
  formatPercent,
  formatUnits,
} from "../ui/format.ts";
import type { Fact, Tone } from "../ui/parts.ts";
import { humanize } from "../ui/words.ts";
import { progressOf } from "../ui/progress.ts";
import type { JoinModel } from "./model.ts";

/** The view model: what the page says, computed from what it knows. */

/** Where the user stands: before the start, on the way, taking part, or thrown out. */
export type Step = "idle" | "starting" | "live" | "ended";

export function stepOf({ wish, node, problem }: JoinModel): Step {
  if (problem !== "") return "ended";
  const stopped = node === null || node.phase === "stopped";
  if (!stopped) return "live";
  if (wish === "off") return "idle";
  // A node that stopped of its own accord says why; one that says nothing has not begun yet.
  return node !== null && (node.detail !== "" || node.outdated) ? "ended" : "starting";
}

export interface Headline {
  readonly tone: Tone;
  /** One or two words, also in the title of the page. */
  readonly word: string;
  readonly sentence: string;
}

export function headline(model: JoinModel): Headline {
  const { node, problem, settings, device } = model;
  const step = stepOf(model);
  if (problem !== "") return { tone: "bad", word: "Stopped", sentence: problem };
  if (step === "starting") return { tone: "busy", word: "Starting", sentence: "Preparing the workers." };
  if (step === "idle" || node === null) {
    const lend = `${settings.slots} of ${formatCount(device.threads, "thread")}`;
    return { tone: "calm", word: "Not started", sentence: `Press Start to lend ${lend} of this device.` };
  }
  if (node.outdated) {
    return {
      tone: "warn",
      word: "Out of date",
      sentence: "The coordinator runs another version. Reload this page to go on.",
    };
  }
  switch (node.phase) {
    case "connecting":
      return { tone: "busy", word: "Connecting", sentence: "Saying hello to the coordinator." };
    case "working":
      return node.running.length === 0
        ? { tone: "good", word: "Ready", sentence: "Connected, and waiting for work." }
        : { tone: "busy", word: "Working", sentence: `Computing ${formatCount(node.running.length, "task")}.` };
    case "paused":
      return { tone: "warn", word: "Paused", sentence: "Connected, but taking no work until you resume." };
    case "reconnecting":
      return {
        tone: "warn",
        word: "Reconnecting",
        sentence: `The connection is gone${because(node.detail)}. Trying again; work under way goes on meanwhile.`,
      };
    case "leaving":
      return { tone: "busy", word: "Leaving", sentence: "Finishing what runs here, or giving it back." };
    case "stopped":
      return { tone: "bad", word: "Stopped", sentence: `This device no longer takes part${because(node.detail)}.` };
  }
}

const because = (detail: string): string => (detail === "" ? "" : ` (${detail.replace(/[.\s]+$/, "")})`);

/** The title of the page: how it stands, readable from another tab. */
export const pageTitle = (model: JoinModel): string => {
  if (model.token === null) return "Kindling";
  const running = model.node?.running.length ?? 0;
  const { word } = headline(model);
  return word === "Working" ? `${word} on ${formatCount(running, "task")} · Kindling` : `${word} · Kindling`;
};

export interface RunningRow {
  readonly key: string;
  readonly title: string;
  readonly where: string;
  readonly soFar: string;
  /** The stage that it is part of, where the list of jobs knows it. */
  readonly stage: { readonly done: number; readonly running: number; readonly total: number } | null;
}

export function runningRows({ node, overview }: JoinModel): readonly RunningRow[] {
  return (node?.running ?? []).map(({ attempt, task, units, seconds }) => {
    const place = placeOf(attempt);
    const job = overview?.jobs.find(({ id }) => id === place?.job);
    const stage = job?.stages.find(({ ordinal }) => ordinal === place?.ordinal);
    const part = place === null ? "" : `part ${formatInteger(place.partition + 1)}`;
    return {
      key: attempt,
      title: humanize(task),
      where: [stage ? `${part} of ${formatInteger(stage.tasks)}` : part, job?.workload ?? ""]
        .filter(Boolean)
        .join(" · "),
      soFar: [units > 0 ? formatUnits(units, job?.unit ?? "") : "", formatDuration(seconds)]
        .filter(Boolean)
        .join(" in "),
      stage: stage ? { done: stage.done, running: stage.running, total: stage.tasks } : null,
    };
  });
}

function placeOf(attempt: string): { job: string; ordinal: number; partition: number } | null {
  const [, job, ordinal, partition] = /^([^/]+)\/(\d+)\/(\d+)#\d+$/.exec(attempt) ?? [];
  return job === undefined ? null : { job, ordinal: Number(ordinal), partition: Number(partition) };
}

/** What this device did since it was started. */
export function doneFacts({ node, overview }: JoinModel): readonly Fact[] {
  if (node === null) return [];
  const unit = sharedUnit(overview?.jobs ?? [], node.node);
  const failed = node.tasksFailed > 0 ? [{ label: "Tasks failed", value: formatInteger(node.tasksFailed) }] : [];
  return [
    { label: "Tasks done", value: formatInteger(node.tasksDone) },
    ...failed,
    { label: "Work", value: unit === "" ? formatAmount(node.unitsDone) : formatUnits(node.unitsDone, unit) },
    { label: "Received", value: formatBytes(node.bytesReceived) },
    { label: "Sent", value: formatBytes(node.bytesSent) },
  ];
}

/** The unit of all jobs that this node had a share in; empty when they differ, as their sum has no unit then. */
function sharedUnit(jobs: readonly JobView[], node: string | null): string {
  const took = jobs.filter(({ shares }) => shares.some((share) => share.node === node));
  const units = new Set(took.map(({ unit }) => unit));
  return units.size === 1 ? ([...units][0] ?? "") : "";
}

export interface JobRow {
  readonly id: string;
  readonly name: string;
  readonly tone: Tone;
  readonly state: string;
  readonly detail: string;
  readonly progress: { readonly done: number; readonly running: number; readonly total: number };
  /** "Your share": what this node did of it; empty if nothing. */
  readonly share: string;
  readonly ended: boolean;
}

const STATES: Readonly<Record<JobView["state"], readonly [Tone, string]>> = {
  running: ["busy", "Running"],
  succeeded: ["good", "Done"],
  failed: ["bad", "Failed"],
  cancelled: ["calm", "Cancelled"],
};

/** How many of the newest jobs are listed. */
const RECENT = 8;

export function jobRows({ overview, node }: JoinModel): readonly JobRow[] {
  const jobs = [...(overview?.jobs ?? [])].sort((a, b) => b.createdAt - a.createdAt);
  return jobs.slice(0, RECENT).map((job) => {
    const [tone, state] = STATES[job.state];
    const progress = progressOf(job);
    const tasks =
      progress.total > 0 ? `${formatInteger(progress.done)} of ${formatCount(progress.total, "task")} · ` : "";
    return {
      id: job.id,
      name: job.workload,
      tone,
      state,
      detail: `${tasks}${formatDuration(job.seconds)}`,
      progress,
      share: shareOf(job, node?.node ?? null),
      ended: job.state !== "running",
    };
  });
}

/** Why no job can be run again now; undefined if one can. */
export function rerunBlocked({ overview, rerunning }: JoinModel): string | undefined {
  if (rerunning !== null) return "A job is being started.";
  const busy = overview?.jobs.some(({ state }) => state === "running") === true;
  return busy ? "While a job runs, no other can be started from here." : undefined;
}

function shareOf({ shares }: JobView, node: string | null): string {
  const own = shares.find((share) => share.node === node);
  if (own === undefined || own.tasks === 0) return "";
  const all = shares.reduce((total, { tasks }) => total + tasks, 0);
  return `Your share: ${formatCount(own.tasks, "task")}, ${formatPercent(own.tasks / all)}`;
}
