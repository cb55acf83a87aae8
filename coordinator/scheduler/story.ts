import type { TaskKey } from "../../shared/ids.ts";
import type { SchedulerState, TaskState } from "./state.ts";

/** Entries kept for one task; of a longer story the beginning and the end are told. */
const HISTORY_HEAD = 8;
const HISTORY_KEPT = 48;

/** Adds a line to a task's story. */
export function note(task: TaskState, at: number, from: TaskState["status"], text: string): void {
  if (task.history.length >= HISTORY_KEPT) task.history.splice(HISTORY_HEAD, 1);
  task.history.push({ at, from, to: task.status, note: text });
}

/** How a task came to be as it is: its present state, then every transition with its time (ms) and why. */
export function story(state: SchedulerState, key: TaskKey): readonly string[] {
  const task = state.tasks.get(key);
  return task === undefined ? [`${key} is not known: its job has ended, or its stage was never added`] : tell(task);
}

export function tell(task: TaskState): readonly string[] {
  return [
    `${task.key} (stage ${task.stage.ordinal}, partition ${task.partition}) is ${task.status}${present(task)}`,
    ...task.history.map((entry) =>
      entry.from === entry.to
        ? `${entry.at} ms: ${entry.note}`
        : `${entry.at} ms: ${entry.from} → ${entry.to}: ${entry.note}`,
    ),
  ];
}

function present(task: TaskState): string {
  switch (task.status) {
    case "waiting":
      return `, ${task.inputs.missing} of ${task.inputs.tasks.length} inputs are missing`;
    case "leased":
      return `, ${task.leases.map((lease) => `${lease.attempt} on ${lease.node.id}`).join(" and ")}`;
    case "done":
      if (task.durable) return ", durable";
      if (task.holders.length === 0) return ", awaited from the nodes that held it";
      return `, held by ${task.holders.map((node) => node.id).join(" and ")}`;
    case "ready":
      return task.failures.length === 0 ? "" : `, failed on ${task.failures.map(({ node }) => node).join(", ")}`;
    case "lost":
      return ", nothing needs it now";
  }
}
