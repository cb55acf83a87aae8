import type { AttemptId } from "../../shared/ids.ts";
import type { TaskResult } from "../../shared/protocol/messages.ts";

/** What a node owes its coordinator. */
export interface Ledger {
  /** Leases without a result yet. */
  readonly owed: ReadonlySet<AttemptId>;
  /** Results that were not acknowledged: sent again after a reconnect. */
  readonly unacknowledged: ReadonlyMap<AttemptId, TaskResult>;
}

/** The state with these attempts settled: neither owed nor waiting for an acknowledgement. */
export function without<S extends Ledger>(state: S, attempts: readonly AttemptId[]): S {
  if (attempts.length === 0) return state;
  const owed = new Set(state.owed);
  const unacknowledged = new Map(state.unacknowledged);
  for (const attempt of attempts) {
    owed.delete(attempt);
    unacknowledged.delete(attempt);
  }
  return { ...state, owed, unacknowledged };
}

export const isEmpty = ({ owed, unacknowledged }: Ledger): boolean => owed.size === 0 && unacknowledged.size === 0;
