import { type AttemptId, type NodeId, taskOfAttempt } from "../../shared/ids.ts";
import type { Output } from "./events.ts";
import { failJob, nameOf } from "./failure.ts";
import { endLease, requeue, revokeLeases } from "./leases.ts";
import { addHolder, removeHolder, sameOutput } from "./lineage.ts";
import { hear, isAnswered } from "./nodes.ts";
import { recordDuration } from "./policy.ts";
import { avoidKey } from "./ready.ts";
import type { Lease, NodeState, TaskState } from "./state.ts";
import type { EventOf, Step } from "./step.ts";
import { refreshAvailability, transition } from "./transitions.ts";

export function attemptSucceeded(step: Step, event: EventOf<"AttemptSucceeded">): void {
  const node = hear(step, event.node);
  if (node === undefined) {
    reject(step, event.node, event.attempt, "the node is not joined");
    return;
  }
  const parked = node.parked.get(taskOfAttempt(event.attempt));
  if (parked?.attempt === event.attempt) parked.output = event.output;
  else settleResult(step, node, event.attempt, event.output);
}

/** Accepts the result of a live lease, or of an attempt whose acceptance may not have been heard; rejects any other. */
export function settleResult(step: Step, node: NodeState, attempt: AttemptId, output: Output): void {
  const task = step.state.tasks.get(taskOfAttempt(attempt));
  const lease = step.state.leases.get(attempt);
  if (task === undefined) {
    reject(step, node.id, attempt, "its task is not known: the job has ended");
  } else if (lease !== undefined && lease.node === node) {
    acceptFrom(step, lease, output);
  } else if (task.output !== null && isAnswered(step, node, attempt) && sameOutput(task.output, output)) {
    accept(step, task, node, attempt, output);
  } else {
    reject(step, node.id, attempt, whyStale(task, output));
  }
}

/**
 * An attempt ended without a result. No effect answers it: the shell acknowledges a failure by itself, and the node may
 * forget it. Failures of attempts without a lease change nothing.
 */
export function attemptFailed(step: Step, event: EventOf<"AttemptFailed">): void {
  const node = hear(step, event.node);
  const lease = step.state.leases.get(event.attempt);
  if (lease === undefined || lease.node !== node) return;
  const { task } = lease;
  const { error } = event;
  task.stage.retries++;
  if (error.retryable && error.code !== "InputUnavailable") {
    task.failures.push({ node: event.node, attempt: event.attempt, error });
    task.avoid = avoidKey(task.failures.map((failure) => failure.node));
  }
  endLease(step, lease);
  requeue(step, task, `${event.attempt} failed on ${event.node}: ${error.code}: ${error.message}`);
  if (!error.retryable) {
    // What is wrong with the caller's data names file, row and column: the partition would only confuse.
    const message = error.code === "BadInput" ? error.message : `${nameOf(task)}: ${error.message}`;
    failJob(step, task.stage.job, { code: error.code, message, retryable: false });
  } else if (error.code === "InputUnavailable") {
    countStarved(step, task, error.message);
  } else if (task.failures.length >= step.state.options.maxAttempts) {
    const nodes = task.failures.map((failure) => failure.node).join(", ");
    const message = `${nameOf(task)} failed ${task.failures.length} times, on ${nodes}; the last time with ${error.code}: ${error.message}`;
    failJob(step, task.stage.job, { code: "TaskFailed", message, retryable: false });
  }
}

/** A holder could not give an output, or no node has it: it is made again even if no task is waiting for it. */
export function outputMissing(step: Step, event: EventOf<"OutputMissing">): void {
  const { state } = step;
  const task = state.tasks.get(event.task);
  if (task === undefined || task.output === null) return;
  const node = event.node === null ? undefined : state.nodes.get(event.node);
  if (node !== undefined) removeHolder(step, task, node, `${node.id} could not give it`);
  if (task.available) return;
  task.requested = true;
  state.doubtful.push(task);
}

/** The coordinator has every byte of an accepted output: whatever happens to its holders, it is done. */
export function outputDurable(step: Step, event: EventOf<"OutputDurable">): void {
  const task = step.state.tasks.get(event.task);
  if (task === undefined || task.output === null) return;
  task.durable = true;
  if (task.status === "done") {
    refreshAvailability(step, task);
    return;
  }
  revokeLeases(step, task);
  transition(step, task, "done", "its output has become durable");
}

function acceptFrom(step: Step, lease: Lease, output: Output): void {
  const { task, node, attempt } = lease;
  if (task.output !== null && !sameOutput(task.output, output)) {
    endLease(step, lease);
    requeue(step, task, `${attempt} on ${node.id} gave other bytes than were accepted before`);
    const first = task.madeBy ?? "a node before the coordinator's restart";
    failJob(step, task.stage.job, {
      code: "NotDeterministic",
      message: `${nameOf(task)} gave other bytes on ${node.id} than on ${first}: the same input must give the same output, on every node`,
      retryable: false,
    });
    reject(step, node.id, attempt, "differs from the output that was accepted before");
    return;
  }
  if (lease.startedAt !== null && !lease.adopted) recordDuration(task.stage, step.now - lease.startedAt);
  endLease(step, lease);
  accept(step, task, node, attempt, output);
}

/** Takes an output; other attempts of the task end. The first one of the last partition completes the stage. */
function accept(step: Step, task: TaskState, node: NodeState, attempt: AttemptId, output: Output): void {
  const { stage } = task;
  revokeLeases(step, task);
  const repeated = task.output !== null;
  task.output ??= output;
  if (!repeated) stage.accepted++;
  task.madeBy = node.id;
  task.madeAs = attempt;
  if (output.durable) task.durable = true;
  else addHolder(step, task, node);
  if (task.status === "done") refreshAvailability(step, task);
  else transition(step, task, "done", `accepted ${attempt} from ${node.id}`);
  step.effects.push({ type: "Accept", node: node.id, attempt, task: task.key, output, repeated });
  if (!repeated && stage.accepted === stage.tasks.length) {
    step.effects.push({ type: "StageDone", job: stage.job.id, ordinal: stage.ordinal });
  }
}

/**
 * An attempt that cannot read its inputs is not the task's fault, and what is gone comes back by lineage. But if nothing
 * is known to be gone, trying again is bounded.
 */
function countStarved(step: Step, task: TaskState, last: string): void {
  if (task.inputs.missing > 0) return;
  task.starvedAttempts++;
  if (task.starvedAttempts < step.state.options.maxLostAttempts) return;
  failJob(step, task.stage.job, {
    code: "InputUnavailable",
    message: `${nameOf(task)} could not read its input ${task.starvedAttempts} times though nodes hold it: ${last}`,
    retryable: false,
  });
}

function reject(step: Step, node: NodeId, attempt: AttemptId, reason: string): void {
  step.effects.push({ type: "Reject", node, attempt, reason });
}

function whyStale(task: TaskState, output: Output): string {
  if (task.stage.job.failed) return "its job has failed";
  if (task.output === null) return "its lease has ended: the task is assigned anew";
  return sameOutput(task.output, output)
    ? "already done"
    : "already done, and this output differs from the accepted one";
}
