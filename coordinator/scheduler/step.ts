import type { AttemptId } from "../../shared/ids.ts";
import type { Assignment, SchedulerEffect, SchedulerEvent } from "./events.ts";
import type { NodeState, SchedulerState } from "./state.ts";

export type EventOf<Kind extends SchedulerEvent["type"]> = Extract<SchedulerEvent, { readonly type: Kind }>;

/** One event being worked in: its time, and what comes out of it. Revocations and assignments are batched by node. */
export interface Step {
  readonly state: SchedulerState;
  readonly now: number;
  readonly effects: SchedulerEffect[];
  readonly revocations: Map<NodeState, AttemptId[]>;
  readonly assignments: Map<NodeState, Assignment[]>;
}

export const beginStep = (state: SchedulerState, now: number): Step => ({
  state,
  now,
  effects: [],
  revocations: new Map(),
  assignments: new Map(),
});

export function revoke(step: Step, node: NodeState, attempt: AttemptId): void {
  const batch = step.revocations.get(node);
  if (batch === undefined) step.revocations.set(node, [attempt]);
  else batch.push(attempt);
}

export function assign(step: Step, node: NodeState, assignment: Assignment): void {
  const batch = step.assignments.get(node);
  if (batch === undefined) step.assignments.set(node, [assignment]);
  else batch.push(assignment);
}

/** Sees to it that a Tick comes at `time` or before; asks only when none that early was asked for. */
export function wake(step: Step, time: number): void {
  const { state } = step;
  if (state.nextWake !== null && state.nextWake <= time) return;
  state.nextWake = time;
}

/** The effects in the order in which the shell carries them out. */
export function endStep(step: Step, wakeBefore: number | null): readonly SchedulerEffect[] {
  const { state, effects } = step;
  for (const [node, attempts] of step.revocations) {
    if (state.nodes.get(node.id) === node) effects.push({ type: "Revoke", node: node.id, attempts });
  }
  for (const [node, assignments] of step.assignments) effects.push({ type: "Assign", node: node.id, assignments });
  if (state.nextWake !== null && state.nextWake !== wakeBefore) {
    effects.push({ type: "WakeAt", time: state.nextWake });
  }
  return effects;
}
