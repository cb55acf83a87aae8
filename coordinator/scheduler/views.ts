import type { JobId, NodeId, TaskKey } from "../../shared/ids.ts";
import { isNeeded, type SchedulerState, type TaskStatus } from "./state.ts";

export interface StageProgress extends Readonly<Record<TaskStatus, number>> {
  readonly tasks: number;
  /** Attempts that failed or were lost. */
  readonly retries: number;
}

/** How many of a stage's tasks are in which state; undefined for a stage that is not known. */
export function stageProgress(state: SchedulerState, job: JobId, ordinal: number): StageProgress | undefined {
  const stage = state.jobs.get(job)?.stages.get(ordinal);
  if (stage === undefined) return undefined;
  return { ...stage.counts, tasks: stage.tasks.length, retries: stage.retries };
}

export interface NodeLoad {
  readonly slots: number;
  /** Leases that have a slot, and those that wait on the node. */
  readonly running: number;
  readonly queued: number;
  /** Outputs of which it is a holder. */
  readonly held: number;
  readonly state: "ready" | "paused" | "leaving" | "silent";
}

/** What a node has to do; undefined for a node that is not joined. */
export function nodeLoad(state: SchedulerState, node: NodeId): NodeLoad | undefined {
  const found = state.nodes.get(node);
  if (found === undefined) return undefined;
  const { slots, started, queued, held } = found;
  const condition = found.leaving ? "leaving" : found.silent ? "silent" : slots === 0 ? "paused" : "ready";
  return { slots, running: started.size, queued: queued.size, held: held.size, state: condition };
}

/**
 * Tasks whose outputs go with a node that leaves, since only nodes that leave hold them, and that are needed: something still reads
 * them, or nothing has read them so far.
 */
export function takenAlong(state: SchedulerState, node: NodeId): readonly TaskKey[] {
  return [...(state.nodes.get(node)?.held ?? [])]
    .filter(({ durable, holders, stage }) => !durable && !stage.job.failed && holders.every(({ leaving }) => leaving))
    .filter((task) => isNeeded(task) || task.feeds.length === 0)
    .map(({ key }) => key);
}

/** Live nodes that hold the whole output of a task; none for one that is not done or needs no holder. */
export function holdersOf(state: SchedulerState, task: TaskKey): readonly NodeId[] {
  return state.tasks.get(task)?.holders.map((node) => node.id) ?? [];
}
