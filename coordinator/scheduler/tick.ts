import { loseLeases } from "./failure.ts";
import { refreshRoom } from "./leases.ts";
import type { Lease } from "./state.ts";
import { revoke, type Step, wake } from "./step.ts";
import { transition } from "./transitions.ts";

/** What passes with time alone: leases, the wait for held outputs, parked attempts. */
export function tick(step: Step): void {
  const { state, now } = step;
  // Any Tick, even one that a coarse timer sent too early, uses up the request: the next one is asked for anew.
  state.nextWake = null;
  expireLeases(step);
  for (const task of state.awaited) {
    if (task.graceUntil !== null && task.graceUntil <= now) {
      transition(step, task, "lost", "no node came back with it in time");
    }
  }
  for (const node of state.nodes.values()) {
    for (const [key, parked] of node.parked) {
      if (parked.until > now) continue;
      node.parked.delete(key);
      if (parked.output === null) revoke(step, node, parked.attempt);
      else {
        const reason = "its task is not known";
        step.effects.push({ type: "Reject", node: node.id, attempt: parked.attempt, reason });
      }
    }
  }
}

/** Asks for the next Tick that the present state needs, as far as it is known beforehand. */
export function wakeForDeadlines(step: Step): void {
  const { state } = step;
  for (const lease of state.leases.values()) wake(step, lease.seenAt + state.options.leaseMs);
  for (const task of state.awaited) if (task.graceUntil !== null) wake(step, task.graceUntil);
  for (const node of state.nodes.values()) for (const parked of node.parked.values()) wake(step, parked.until);
}

/** Leases that no heartbeat named for too long. A node of which nothing at all was heard gets no new ones. */
function expireLeases(step: Step): void {
  const { state, now } = step;
  const expired: Lease[] = [];
  for (const lease of state.leases.values()) if (lease.seenAt + state.options.leaseMs <= now) expired.push(lease);
  for (const { node, attempt } of expired) {
    revoke(step, node, attempt);
    if (node.heardAt + state.options.leaseMs > now || node.silent) continue;
    node.silent = true;
    refreshRoom(step, node);
  }
  loseLeases(step, expired, "its lease expired");
}
