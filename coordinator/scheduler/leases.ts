import { type AttemptId, attemptId } from "../../shared/ids.ts";
import { capacity, type Lease, leaseCount, type NodeState, type TaskState } from "./state.ts";
import { assign, revoke, type Step, wake } from "./step.ts";
import { note } from "./story.ts";
import { transition } from "./transitions.ts";

/** Gives a task to a node as a new attempt. */
export function grantLease(step: Step, task: TaskState, node: NodeState, why: string): void {
  const attempt = attemptId(task.key, ++task.epoch);
  addLease(step, task, node, attempt, false, why);
  assign(step, node, { attempt, task: task.key });
}

/** Takes over an attempt that a node brought back: its epoch counts as live again. */
export function adoptLease(step: Step, task: TaskState, node: NodeState, attempt: AttemptId): void {
  addLease(step, task, node, attempt, true, "came back with");
}

function addLease(
  step: Step,
  task: TaskState,
  node: NodeState,
  attempt: AttemptId,
  adopted: boolean,
  why: string,
): void {
  const { state, now } = step;
  const lease: Lease = { attempt, task, node, assignedAt: now, adopted, startedAt: null, seenAt: now };
  task.leases.push(lease);
  state.leases.set(attempt, lease);
  node.queued.add(lease);
  startQueued(step, node);
  refreshRoom(step, node);
  const told = `${node.id} ${why} ${attempt}`;
  if (task.status === "leased") note(task, now, "leased", told);
  else transition(step, task, "leased", told);
  wake(step, now + state.options.leaseMs);
}

/** Takes a lease out of the books; the task's status is the caller's business. */
export function endLease(step: Step, lease: Lease): void {
  const { task, node } = lease;
  step.state.leases.delete(lease.attempt);
  task.leases.splice(task.leases.indexOf(lease), 1);
  node.started.delete(lease);
  node.queued.delete(lease);
  startQueued(step, node);
  refreshRoom(step, node);
}

/** Ends all attempts of a task because none is wanted any more. */
export function revokeLeases(step: Step, task: TaskState): void {
  for (const lease of [...task.leases]) {
    endLease(step, lease);
    revoke(step, lease.node, lease.attempt);
  }
}

/** A task whose last attempt ended without a result goes back to where its inputs allow. */
export function requeue(step: Step, task: TaskState, why: string): void {
  if (task.leases.length > 0) {
    note(task, step.now, task.status, why);
    return;
  }
  transition(step, task, task.inputs.missing > 0 ? "waiting" : "ready", why);
  if (task.output !== null) step.state.doubtful.push(task);
}

/** A node runs its leases in the order in which they came, as many at a time as it has slots. */
export function startQueued(step: Step, node: NodeState): void {
  for (const lease of node.queued) {
    if (node.started.size >= node.slots) return;
    node.queued.delete(lease);
    node.started.add(lease);
    lease.startedAt = step.now;
  }
}

/** Files a node under what it can take, after anything about it has changed. */
export function refreshRoom(step: Step, node: NodeState): void {
  const { state } = step;
  const joined = state.nodes.get(node.id) === node;
  const eligible = joined && node.slots > 0 && !node.leaving && !node.silent;
  const leases = leaseCount(node);
  put(state.eligible, node, eligible);
  put(state.free, node, eligible && leases < capacity(node, state.options));
  put(state.idle, node, eligible && leases < node.slots);
}

function put(nodes: Set<NodeState>, node: NodeState, member: boolean): void {
  if (member) nodes.add(node);
  else nodes.delete(node);
}
