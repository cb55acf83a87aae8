import type { WireError } from "../../shared/errors.ts";
import type { AttemptId, JobId, NodeId, TaskKey } from "../../shared/ids.ts";
import type { HeldChunk } from "../../shared/protocol/messages.ts";
import type { Output } from "./events.ts";
import type { Heap } from "./heap.ts";
import { DEFAULT_OPTIONS, type SchedulerOptions } from "./options.ts";

/**
 * waiting: an input is not available · ready: may be leased · leased: one or two attempts run · done: its output was
 * accepted and is not known to be gone · lost: its held output is gone, and nothing needs it now.
 */
export type TaskStatus = "waiting" | "ready" | "leased" | "done" | "lost";
export const TASK_STATUSES = ["waiting", "ready", "leased", "done", "lost"] as const satisfies readonly TaskStatus[];

/** One attempt that may deliver. A task has at most two, on different nodes. */
export interface Lease {
  readonly attempt: AttemptId;
  readonly task: TaskState;
  readonly node: NodeState;
  readonly assignedAt: number;
  /** Taken over from a node that came back: when it began is not known. */
  readonly adopted: boolean;
  /** When one of the node's slots was free for it; null while it is queued there. */
  startedAt: number | null;
  /** The last time that its node named it. */
  seenAt: number;
}

export interface Failure {
  readonly node: NodeId;
  readonly attempt: AttemptId;
  readonly error: WireError;
}

/** One line of a task's story. */
export interface HistoryEntry {
  readonly at: number;
  readonly from: TaskStatus;
  readonly to: TaskStatus;
  readonly note: string;
}

/** What one or several tasks read. Partitions whose plan names the same array share one, as a shuffle's reducers do. */
export interface InputSet {
  readonly tasks: TaskState[];
  readonly readers: TaskState[];
  /** How many of `tasks` are not available. */
  missing: number;
  /** How many of `readers` are waiting, ready or leased. */
  unfinished: number;
}

export interface TaskState {
  readonly key: TaskKey;
  readonly stage: StageState;
  readonly partition: number;
  readonly inputs: InputSet;
  /** The input sets that contain this task. */
  readonly feeds: InputSet[];
  readonly leases: Lease[];
  /** Live nodes that have the whole output. */
  readonly holders: NodeState[];
  readonly failures: Failure[];
  readonly history: HistoryEntry[];
  status: TaskStatus;
  /** The highest epoch given out. */
  epoch: number;
  /** The output that was accepted first; later ones must equal it. */
  output: Output | null;
  /** Who made `output` in which attempt; null when the journal answered. */
  madeBy: NodeId | null;
  madeAs: AttemptId | null;
  /** The coordinator has every byte: never run again. */
  durable: boolean;
  /** Done, and durable or held by a live node. */
  available: boolean;
  /** The shell asked for a lost output. */
  requested: boolean;
  /** Until when a recovered output without a holder is waited for; null if it is not. */
  graceUntil: number | null;
  /** The ready queue it belongs to: the nodes where it failed. */
  avoid: string;
  /** Running attempts that vanished with their node or lease. */
  lostAttempts: number;
  /** Attempts since the last lost input that could not read an input though all seemed available. */
  starvedAttempts: number;
}

export interface ReadyQueue {
  /** Nodes where every task of this queue failed. */
  readonly failedOn: readonly NodeId[];
  readonly partitions: Heap<number>;
}

/**
 * The ready tasks of one stage, by partition. Entries are removed lazily: one counts only while its task is ready and
 * belongs to that queue, so that leasing a task through one index needs no search in the others.
 */
export interface ReadyTasks {
  /** One queue for each set of nodes to avoid; "" is that of tasks that never failed. */
  readonly queues: Map<string, ReadyQueue>;
  /** Tasks that never failed, by a node that holds one of their inputs. */
  readonly local: Map<NodeState, Heap<number>>;
}

export interface StageState {
  readonly job: JobState;
  readonly ordinal: number;
  readonly priority: number;
  readonly tasks: TaskState[];
  readonly counts: Record<TaskStatus, number>;
  readonly ready: ReadyTasks;
  /** Recent durations in ms, a ring; see policy.ts. */
  readonly durations: number[];
  finishedAttempts: number;
  /** Tasks whose output was accepted at least once. */
  accepted: number;
  /** Attempts that failed or were lost. */
  retries: number;
}

export interface JobState {
  readonly id: JobId;
  /** Order of arrival: earlier jobs go first among equal priorities and ordinals. */
  readonly sequence: number;
  readonly stages: Map<number, StageState>;
  /** JobFailed was said; nothing of it runs any more. */
  failed: boolean;
}

/** An attempt whose stage is not known yet, because its driver is still replaying. */
export interface ParkedAttempt {
  readonly attempt: AttemptId;
  readonly until: number;
  /** Its result, if that came before the stage. */
  output: Output | null;
}

export interface NodeState {
  readonly id: NodeId;
  /** Order of arrival, to break ties. */
  readonly sequence: number;
  slots: number;
  leaving: boolean;
  /** It let a lease expire and was not heard since: half-open, probably. */
  silent: boolean;
  heardAt: number;
  /** Leases that have a slot, and those behind them, in the order in which the node runs them. */
  readonly started: Set<Lease>;
  readonly queued: Set<Lease>;
  readonly held: Set<TaskState>;
  /** Outputs and attempts that it brought from before, of tasks that are not known yet. */
  readonly unclaimed: Map<TaskKey, HeldChunk[]>;
  readonly parked: Map<TaskKey, ParkedAttempt>;
}

export interface SchedulerState {
  readonly options: SchedulerOptions;
  readonly jobs: Map<JobId, JobState>;
  readonly tasks: Map<TaskKey, TaskState>;
  readonly nodes: Map<NodeId, NodeState>;
  readonly leases: Map<AttemptId, Lease>;
  /** Stages with ready tasks, the first to serve first; those without any more are dropped when met. */
  readonly runnable: StageState[];
  /** Nodes that may get leases at all; those with room for one more; those with a slot that has nothing to do. */
  readonly eligible: Set<NodeState>;
  readonly free: Set<NodeState>;
  readonly idle: Set<NodeState>;
  /** Recovered outputs without a holder yet. */
  readonly awaited: Set<TaskState>;
  /** Tasks for which it must be seen whether something needs them; empty between events. */
  readonly doubtful: TaskState[];
  /** The earliest Tick that was asked for and has not come. */
  nextWake: number | null;
  arrivals: number;
}

/**
 * A scheduler without jobs and nodes. The state is owned by `reduce`, which updates it in place; whoever else has it
 * only reads, through views.ts, story.ts and invariants.ts.
 */
export function createScheduler(options: Partial<SchedulerOptions> = {}): SchedulerState {
  return {
    options: { ...DEFAULT_OPTIONS, ...options },
    jobs: new Map(),
    tasks: new Map(),
    nodes: new Map(),
    leases: new Map(),
    runnable: [],
    eligible: new Set(),
    free: new Set(),
    idle: new Set(),
    awaited: new Set(),
    doubtful: [],
    nextWake: null,
    arrivals: 0,
  };
}

/** Whether anything asks for this task's output: a reader that is not done, or the shell. */
export const isNeeded = (task: TaskState): boolean =>
  task.requested || task.feeds.some((inputs) => inputs.unfinished > 0);

export const leaseCount = (node: NodeState): number => node.started.size + node.queued.size;

/** How many leases a node may have. */
export const capacity = (node: NodeState, options: SchedulerOptions): number => node.slots + options.prefetch;
