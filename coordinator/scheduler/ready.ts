import type { NodeId } from "../../shared/ids.ts";
import { Heap } from "./heap.ts";
import type { NodeState, ReadyTasks, SchedulerState, StageState, TaskState } from "./state.ts";

/**
 * With more inputs than this every node holds about the same share of them, and locality decides nothing.
 */
export const LOCALITY_INPUTS = 16;

export const emptyReadyTasks = (): ReadyTasks => ({ queues: new Map(), local: new Map() });

const byNumber = (a: number, b: number) => a - b;

/** Names the set of nodes where a task failed. */
export const avoidKey = (nodes: readonly NodeId[]): string => [...new Set(nodes)].sort().join(" ");

const stageOrder = (a: StageState, b: StageState): number =>
  b.priority - a.priority || a.ordinal - b.ordinal || a.job.sequence - b.job.sequence;

/** Puts a task that has become ready where `pick` finds it. */
export function enqueue(state: SchedulerState, task: TaskState): void {
  const { stage } = task;
  if (!state.runnable.includes(stage)) {
    const at = state.runnable.findIndex((other) => stageOrder(stage, other) < 0);
    state.runnable.splice(at < 0 ? state.runnable.length : at, 0, stage);
  }
  let queue = stage.ready.queues.get(task.avoid);
  if (queue === undefined) {
    queue = { failedOn: task.failures.map((failure) => failure.node), partitions: new Heap(byNumber) };
    stage.ready.queues.set(task.avoid, queue);
  }
  queue.partitions.push(task.partition);
  if (task.avoid === "" && task.inputs.tasks.length <= LOCALITY_INPUTS) {
    for (const node of holdersOfInputs(task)) {
      let local = stage.ready.local.get(node);
      if (local === undefined) stage.ready.local.set(node, (local = new Heap(byNumber)));
      local.push(task.partition);
    }
  }
}

/** Nodes that hold at least one input of the task. */
export function holdersOfInputs(task: TaskState): Set<NodeState> {
  const nodes = new Set<NodeState>();
  for (const input of task.inputs.tasks) for (const node of input.holders) nodes.add(node);
  return nodes;
}

/** The first ready task of the stage for this node: one whose input it holds, else the lowest partition. */
export function pick(state: SchedulerState, stage: StageState, node: NodeState): TaskState | undefined {
  const { queues, local } = stage.ready;
  const nearby = local.get(node);
  if (nearby !== undefined) {
    const task = first(stage, nearby, "");
    if (task !== undefined) return task;
    local.delete(node);
  }
  let best: TaskState | undefined;
  for (const [avoid, queue] of queues) {
    if (!mayRun(state, queue.failedOn, node)) continue;
    const task = first(stage, queue.partitions, avoid);
    if (task === undefined) queues.delete(avoid);
    else if (best === undefined || task.partition < best.partition) best = task;
  }
  return best;
}

/** A task does not return to a node where it failed, unless there is no other. */
export function mayRun(state: SchedulerState, failedOn: readonly NodeId[], node: NodeState): boolean {
  if (!failedOn.includes(node.id)) return true;
  for (const other of state.eligible) if (!failedOn.includes(other.id)) return false;
  return true;
}

/** The task at the head of a queue after dropping entries that no longer count. */
function first(stage: StageState, partitions: Heap<number>, avoid: string): TaskState | undefined {
  for (let head = partitions.peek(); head !== undefined; head = partitions.peek()) {
    const task = stage.tasks[head];
    if (task?.status === "ready" && task.avoid === avoid) return task;
    partitions.pop();
  }
  return undefined;
}
