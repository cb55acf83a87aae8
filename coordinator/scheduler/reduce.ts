import type { SchedulerEffect, SchedulerEvent } from "./events.ts";
import { settleLineage } from "./lineage.ts";
import { heartbeat, nodeJoined, nodeLeaving, nodeLost, slotsChanged } from "./nodes.ts";
import { canSpeculate, placeReady, speculate } from "./placement.ts";
import { attemptFailed, attemptSucceeded, outputDurable, outputMissing } from "./results.ts";
import { jobEnded, stageAdded } from "./stages.ts";
import type { SchedulerState } from "./state.ts";
import { beginStep, type EventOf, endStep, type Step, wake } from "./step.ts";
import { tick, wakeForDeadlines } from "./tick.ts";

type Kind = SchedulerEvent["type"];
type Handler<K extends Kind> = (step: Step, event: EventOf<K>) => void;

/** One handler for each kind of event: a new kind does not compile without one. */
const HANDLERS: { readonly [K in Kind]: Handler<K> } = {
  NodeJoined: nodeJoined,
  NodeLost: nodeLost,
  NodeLeaving: nodeLeaving,
  SlotsChanged: slotsChanged,
  Heartbeat: heartbeat,
  StageAdded: stageAdded,
  AttemptSucceeded: attemptSucceeded,
  AttemptFailed: attemptFailed,
  OutputMissing: outputMissing,
  OutputDurable: outputDurable,
  JobEnded: jobEnded,
  Tick: tick,
};

/**
 * Works one event in. `now` is monotonic, in ms. The state is updated in place, for speed: the one returned is the one
 * given, and the caller must not change it. The same options and the same sequence of (event, now) give the same
 * effects. Throws a KindlingError for an event that cannot be (`BadStage`) and for a fault of the scheduler itself
 * (`ImpossibleTransition`); the state is then of no more use.
 */
export function reduce(
  state: SchedulerState,
  event: SchedulerEvent,
  now: number,
): { readonly state: SchedulerState; readonly effects: readonly SchedulerEffect[] } {
  const step = beginStep(state, now);
  const wakeBefore = event.type === "Tick" ? null : state.nextWake;
  dispatch(step, event.type, event);
  settleLineage(step);
  placeReady(step);
  if (event.type === "Tick") {
    speculate(step);
    wakeForDeadlines(step);
  }
  if (canSpeculate(state)) wake(step, now + state.options.speculation.minimumMs);
  return { state, effects: endStep(step, wakeBefore) };
}

function dispatch<K extends Kind>(step: Step, kind: K, event: SchedulerEvent): void {
  // The kind is the event's own, which the type system cannot see through the table.
  HANDLERS[kind](step, event as EventOf<K>);
}
