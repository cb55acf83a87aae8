import { KindlingError } from "../../shared/errors.ts";
import { enqueue } from "./ready.ts";
import type { InputSet, TaskState, TaskStatus } from "./state.ts";
import type { Step } from "./step.ts";
import { note, tell } from "./story.ts";

type Pair = `${TaskStatus}→${TaskStatus}`;

/** What happens to a task that has just made the transition. */
type Entered = (step: Step, task: TaskState) => void;

const rest: Entered = () => {};
const queue: Entered = (step, task) => enqueue(step.state, task);
const publish: Entered = (step, task) => {
  task.requested = false;
  refreshAvailability(step, task);
};
const withdraw: Entered = (step, task) => {
  task.graceUntil = null;
  step.state.awaited.delete(task);
  refreshAvailability(step, task);
  step.state.doubtful.push(task);
};

/** Every transition that exists. README.md draws them; a pair that is not here is a fault of the scheduler. */
export const TRANSITIONS: Readonly<Partial<Record<Pair, Entered>>> = {
  "waiting→ready": queue,
  /** A node came back with an attempt that may have read its inputs already. */
  "waiting→leased": rest,
  /** The output of a recomputation came back with a node, or reached the coordinator, before it was needed. */
  "waiting→done": publish,
  /** A recomputation that nothing needs any more. */
  "waiting→lost": rest,
  /** An input was lost. */
  "ready→waiting": rest,
  "ready→leased": rest,
  "ready→done": publish,
  "ready→lost": rest,
  "leased→ready": queue,
  "leased→waiting": rest,
  "leased→done": publish,
  "done→lost": withdraw,
  /** Lineage: something needs the lost output. */
  "lost→ready": queue,
  "lost→waiting": rest,
  "lost→done": publish,
};

/** The one way to change a task's status. Throws `ImpossibleTransition` with the task's story. */
export function transition(step: Step, task: TaskState, to: TaskStatus, why: string): void {
  const from = task.status;
  const entered = TRANSITIONS[`${from}→${to}`];
  if (entered === undefined) {
    throw new KindlingError("ImpossibleTransition", `${from} → ${to} (${why})\n${tell(task).join("\n")}`);
  }
  task.status = to;
  task.stage.counts[from]--;
  task.stage.counts[to]++;
  note(task, step.now, from, why);
  if (isUnfinished(from) !== isUnfinished(to)) countUnfinished(step, task.inputs, isUnfinished(to) ? 1 : -1);
  entered(step, task);
}

/** Enters a new task, as waiting, into the counts. */
export function admit(step: Step, task: TaskState): void {
  task.stage.counts[task.status]++;
  task.inputs.readers.push(task);
  countUnfinished(step, task.inputs, 1);
  note(task, step.now, task.status, "added");
}

export const isUnfinished = (status: TaskStatus): boolean =>
  status === "waiting" || status === "ready" || status === "leased";

/** Inputs of the last unfinished reader are needed no longer; those of the first one are needed now. */
function countUnfinished(step: Step, inputs: InputSet, change: 1 | -1): void {
  inputs.unfinished += change;
  const crossed = change === 1 ? inputs.unfinished === 1 : inputs.unfinished === 0;
  if (crossed) for (const task of inputs.tasks) if (task.status !== "done") step.state.doubtful.push(task);
}

/** Tells the readers of a task when its output has become available, or has ceased to be. */
export function refreshAvailability(step: Step, task: TaskState): void {
  const available = task.status === "done" && (task.durable || task.holders.length > 0);
  if (available) {
    task.graceUntil = null;
    step.state.awaited.delete(task);
  }
  if (available === task.available) return;
  task.available = available;
  for (const inputs of task.feeds) {
    inputs.missing += available ? -1 : 1;
    if (available && inputs.missing === 0) {
      for (const reader of inputs.readers) {
        if (reader.status === "waiting") transition(step, reader, "ready", "all inputs are available");
      }
    } else if (!available && inputs.missing === 1) {
      for (const reader of inputs.readers) {
        reader.starvedAttempts = 0;
        if (reader.status === "ready") transition(step, reader, "waiting", `input ${task.key} is gone`);
      }
    }
  }
}
