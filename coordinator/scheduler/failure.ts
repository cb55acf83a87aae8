import type { WireError } from "../../shared/errors.ts";
import { endLease, requeue } from "./leases.ts";
import type { JobState, Lease, TaskState } from "./state.ts";
import { revoke, type Step } from "./step.ts";

/** How messages name a task: what a user can find on the dashboard. */
export const nameOf = (task: TaskState): string => `stage ${task.stage.ordinal}, partition ${task.partition}`;

/** Says once that a job cannot end well, and stops its attempts. The shell answers with JobEnded. */
export function failJob(step: Step, job: JobState, error: WireError): void {
  if (job.failed) return;
  job.failed = true;
  step.effects.push({ type: "JobFailed", job: job.id, error });
  for (const lease of [...step.state.leases.values()]) {
    if (lease.task.stage.job !== job) continue;
    endLease(step, lease);
    revoke(step, lease.node, lease.attempt);
    requeue(step, lease.task, `its job failed: ${error.code}`);
  }
}

/**
 * Ends attempts that vanished with their node or lease. That is no failure of their tasks; but those that were running
 * are counted, since a partition that takes every process down with it must end some time.
 */
export function loseLeases(step: Step, leases: readonly Lease[], why: string): void {
  const running = new Set(leases.filter((lease) => lease.startedAt !== null));
  for (const lease of leases) endLease(step, lease);
  for (const lease of leases) {
    const { task } = lease;
    requeue(step, task, `${lease.attempt} was lost: ${why}`);
    if (!running.has(lease)) continue;
    task.stage.retries++;
    task.lostAttempts++;
    if (task.lostAttempts >= step.state.options.maxLostAttempts) {
      failJob(step, task.stage.job, {
        code: "TaskLost",
        message: `${nameOf(task)} vanished with its node ${task.lostAttempts} times, the last time from ${lease.node.id} (${why}). It may take the whole process down; see its story`,
        retryable: false,
      });
    }
  }
}
