import { type AttemptId, type NodeId, type TaskKey, taskOfAttempt, taskOfChunk } from "../../shared/ids.ts";
import type { HeldChunk } from "../../shared/protocol/messages.ts";
import { loseLeases } from "./failure.ts";
import { adoptLease, endLease, refreshRoom, requeue, revokeLeases, startQueued } from "./leases.ts";
import { addHolder, holdsAll, removeHolder } from "./lineage.ts";
import type { NodeState, TaskState } from "./state.ts";
import { type EventOf, revoke, type Step, wake } from "./step.ts";
import { transition } from "./transitions.ts";

/** A node is new, or comes back on a new connection: then what it says replaces what was known of it. */
export function nodeJoined(step: Step, event: EventOf<"NodeJoined">): void {
  const { state, now } = step;
  const before = state.nodes.get(event.node);
  if (before !== undefined) forgetNode(step, before, "its node connected anew", false);
  const node: NodeState = {
    id: event.node,
    sequence: before?.sequence ?? state.arrivals++,
    slots: event.slots,
    leaving: false,
    silent: false,
    heardAt: now,
    started: new Set(),
    queued: new Set(),
    held: new Set(),
    unclaimed: new Map(),
    parked: new Map(),
  };
  state.nodes.set(node.id, node);
  refreshRoom(step, node);
  for (const [key, chunks] of chunksByTask(event.held)) {
    const task = state.tasks.get(key);
    if (task === undefined) node.unclaimed.set(key, chunks);
    else claimHeld(step, task, node, chunks);
  }
  for (const attempt of event.running) bringBack(step, node, attempt);
}

export function nodeLost(step: Step, event: EventOf<"NodeLost">): void {
  const node = step.state.nodes.get(event.node);
  if (node !== undefined) forgetNode(step, node, event.reason, true);
}

export function nodeLeaving(step: Step, event: EventOf<"NodeLeaving">): void {
  const node = hear(step, event.node);
  if (node === undefined) return;
  node.leaving = true;
  refreshRoom(step, node);
}

/** The node offers another number of slots, and gives back leases that it has not begun. */
export function slotsChanged(step: Step, event: EventOf<"SlotsChanged">): void {
  const node = hear(step, event.node);
  if (node === undefined) return;
  node.slots = event.slots;
  for (const attempt of event.released) {
    const lease = step.state.leases.get(attempt);
    if (lease === undefined || lease.node !== node) continue;
    endLease(step, lease);
    requeue(step, lease.task, `${node.id} gave back ${attempt}`);
  }
  startQueued(step, node);
  refreshRoom(step, node);
}

/** Renews the leases that the node names; attempts without a lease are stopped, unless an answer is on its way. */
export function heartbeat(step: Step, event: EventOf<"Heartbeat">): void {
  const { state, now } = step;
  const node = hear(step, event.node);
  if (node === undefined) return;
  for (const attempt of event.running) {
    const lease = state.leases.get(attempt);
    if (lease !== undefined && lease.node === node) lease.seenAt = now;
    else if (!isParked(node, attempt) && !isAnswered(step, node, attempt)) revoke(step, node, attempt);
  }
}

/** The node from which an event came, unless it is not joined. It can be heard: one that was silent gets work again. */
export function hear(step: Step, id: NodeId): NodeState | undefined {
  const node = step.state.nodes.get(id);
  if (node === undefined) return undefined;
  node.heardAt = step.now;
  node.silent = false;
  refreshRoom(step, node);
  return node;
}

/** Counts the node as a holder of an accepted output, which ends the need to compute it again. */
export function claimHeld(step: Step, task: TaskState, node: NodeState, chunks: readonly HeldChunk[]): void {
  if (task.output === null || task.durable || !holdsAll(task, task.output, chunks)) return;
  addHolder(step, task, node);
  if (task.status === "done") return;
  revokeLeases(step, task);
  transition(step, task, "done", `${node.id} came back with its output`);
}

/** Adopts an attempt for a task that wants one more; other attempts that a node brings are stopped. */
export function adopt(step: Step, task: TaskState, node: NodeState, attempt: AttemptId): boolean {
  const wanted =
    !task.stage.job.failed &&
    (task.status === "waiting" || task.status === "ready" || task.status === "leased") &&
    task.leases.length < 2 &&
    task.leases.every((lease) => lease.node !== node) &&
    epochOf(attempt) <= task.epoch &&
    task.failures.every((failure) => failure.attempt !== attempt);
  if (wanted) adoptLease(step, task, node, attempt);
  return wanted;
}

/**
 * Whether the result of this attempt need not be fought off: it is the accepted one, whose acknowledgement may be under
 * way or lost, or one of an earlier life that may have been.
 */
export function isAnswered(step: Step, node: NodeState, attempt: AttemptId): boolean {
  const task = step.state.tasks.get(taskOfAttempt(attempt));
  if (task === undefined || task.output === null) return false;
  if (task.madeAs === attempt && task.madeBy === node.id) return true;
  return !task.durable && task.status === "done" && epochOf(attempt) <= step.state.options.epochBase;
}

const isParked = (node: NodeState, attempt: AttemptId): boolean =>
  node.parked.get(taskOfAttempt(attempt))?.attempt === attempt;

const epochOf = (attempt: AttemptId): number => Number(attempt.slice(attempt.lastIndexOf("#") + 1));

function bringBack(step: Step, node: NodeState, attempt: AttemptId): void {
  const { state, now } = step;
  const key = taskOfAttempt(attempt);
  const task = state.tasks.get(key);
  if (task !== undefined) {
    if (!adopt(step, task, node, attempt) && !isAnswered(step, node, attempt)) revoke(step, node, attempt);
    return;
  }
  const until = now + state.options.rejoinGraceMs;
  node.parked.set(key, { attempt, until, output: null });
  wake(step, until);
}

/** Takes a node out of the books; `lost` says whether its running attempts count as lost. */
function forgetNode(step: Step, node: NodeState, why: string, lost: boolean): void {
  step.state.nodes.delete(node.id);
  const leases = [...node.queued, ...node.started];
  if (lost) {
    loseLeases(step, leases, why);
  } else {
    for (const lease of leases) {
      endLease(step, lease);
      requeue(step, lease.task, why);
    }
  }
  refreshRoom(step, node);
  for (const stage of step.state.runnable) stage.ready.local.delete(node);
  for (const task of [...node.held]) removeHolder(step, task, node, `${node.id}, which held it, is gone: ${why}`);
}

function chunksByTask(held: readonly HeldChunk[]): Map<TaskKey, HeldChunk[]> {
  const groups = new Map<TaskKey, HeldChunk[]>();
  for (const chunk of held) {
    const key = taskOfChunk(chunk.key);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [chunk]);
    else group.push(chunk);
  }
  return groups;
}
