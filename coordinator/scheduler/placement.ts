import { Heap } from "./heap.ts";
import { grantLease } from "./leases.ts";
import { lateAt, medianDuration } from "./policy.ts";
import { holdersOfInputs, LOCALITY_INPUTS, mayRun, pick } from "./ready.ts";
import {
  type Lease,
  leaseCount,
  type NodeState,
  type SchedulerState,
  type StageState,
  type TaskState,
} from "./state.ts";
import type { Step } from "./step.ts";

/** Leases per slot. */
const load = (node: NodeState): number => leaseCount(node) / node.slots;

const leastLoaded = (a: NodeState, b: NodeState): number => load(a) - load(b) || a.sequence - b.sequence;

/**
 * Fills the nodes that have room: the least loaded node first, and for it the first task by priority (higher first),
 * ordinal, nearness of an input, partition.
 */
export function placeReady(step: Step): void {
  const { state } = step;
  dropServed(state);
  if (state.runnable.length === 0 || state.free.size === 0) return;
  const order = new Heap<{ node: NodeState; load: number }>(
    (a, b) => a.load - b.load || a.node.sequence - b.node.sequence,
  );
  for (const node of state.free) order.push({ node, load: load(node) });
  for (let next = order.pop(); next !== undefined; next = order.pop()) {
    const { node } = next;
    if (!state.free.has(node)) continue;
    if (next.load === load(node)) {
      const task = pickFor(state, node);
      if (task === undefined) continue;
      grantLease(step, task, nearer(state, task, node) ?? node, "got");
    }
    order.push({ node, load: load(node) });
  }
  dropServed(state);
}

function pickFor(state: SchedulerState, node: NodeState): TaskState | undefined {
  for (const stage of state.runnable) {
    if (stage.job.failed) continue;
    const task = pick(state, stage, node);
    if (task !== undefined) return task;
  }
  return undefined;
}

/** A node with an idle slot that holds an input of the task, when `node` holds none. */
function nearer(state: SchedulerState, task: TaskState, node: NodeState): NodeState | undefined {
  if (task.inputs.tasks.length > LOCALITY_INPUTS) return undefined;
  const holders = holdersOfInputs(task);
  if (holders.has(node)) return undefined;
  const failedOn = task.failures.map((failure) => failure.node);
  return [...holders]
    .filter((holder) => state.idle.has(holder) && mayRun(state, failedOn, holder))
    .sort(leastLoaded)[0];
}

/** Stages whose ready tasks are all gone leave the list. */
function dropServed(state: SchedulerState): void {
  const { runnable } = state;
  for (let at = runnable.length - 1; at >= 0; at--) if (runnable[at]?.counts.ready === 0) runnable.splice(at, 1);
}

/**
 * Gives idle nodes copies of stragglers, the latest first. Only what one other node runs, or has queued, is copied, and
 * never to a node where the task failed. The first result wins. Looks at every lease: for ticks only.
 */
export function speculate(step: Step): void {
  const { state, now } = step;
  if (!canSpeculate(state)) return;
  const medians = new Map<StageState, number | undefined>();
  const stragglers: { lease: Lease; since: number }[] = [];
  for (const lease of state.leases.values()) {
    const { task } = lease;
    if (task.leases.length > 1) continue;
    if (!medians.has(task.stage)) medians.set(task.stage, medianDuration(task.stage));
    const since = lateAt(lease, medians.get(task.stage), state.options);
    if (since <= now) stragglers.push({ lease, since });
  }
  stragglers.sort((a, b) => a.since - b.since);
  for (const { lease } of stragglers) {
    const { task } = lease;
    const node = [...state.idle]
      .filter((idle) => idle !== lease.node && !task.failures.some((failure) => failure.node === idle.id))
      .sort(leastLoaded)[0];
    if (node !== undefined) grantLease(step, task, node, `got, since ${lease.node.id} is late, a copy`);
  }
}

/** Whether a look for stragglers could find a node for one. */
export const canSpeculate = (state: SchedulerState): boolean =>
  state.leases.size > 0 && state.idle.size > 0 && state.eligible.size > 1;
